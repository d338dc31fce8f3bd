"""Fill computed numbers into the sentences of a notebook while it runs.

A Markdown cell holds them as MyST's role for inline evaluation, ``{eval}`expression```, which
JupyterLab evaluates in the reader's kernel. Here each is evaluated when its cell's turn comes,
and the executed notebook has the text in its place, so that the page needs no kernel.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from nbclient import NotebookClient

ROLE = re.compile(r"(?<!`)\{eval\}`([^`]+)`")


class SentenceFailed(RuntimeError):
    """An expression in a sentence raised, or gave neither a text nor an integer."""


def text_of(expression: str, answer: dict[str, Any]) -> str:
    """Return the text that a kernel gave for an expression; an integer is its own text.

    Parameters
    ----------
    expression
        As it stands in the sentence.
    answer
        The kernel's reply to it as a user expression.

    Raises
    ------
    SentenceFailed
        If it raised, or its value is neither a text nor an integer.
    """
    if answer["status"] != "ok":
        raise SentenceFailed(f"{{eval}}`{expression}`: {answer['ename']}: {answer['evalue']}")
    shown = answer["data"].get("text/plain", "")
    try:
        value = ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        value = None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise SentenceFailed(
            f"{{eval}}`{expression}` gives {shown[:80]}, not a text: say how it is written,"
            f" for example with fixed({expression}, 2) of descent.prose"
        )
    return value


async def fill(client: NotebookClient, cell: Any) -> list[str]:
    """Put the texts of its expressions into a Markdown cell; a cell of code is left alone.

    Parameters
    ----------
    client
        At work on the notebook, all cells before this one executed.
    cell
        Of a notebook.

    Returns
    -------
    list of str
        The texts, in the order of the expressions.

    Raises
    ------
    SentenceFailed
        If an expression raised, or gave neither a text nor an integer.
    """
    wanted = {found[1]: found[1] for found in ROLE.finditer(cell.source)}
    if cell.cell_type != "markdown" or not wanted:
        return []
    assert client.kc is not None  # it executes
    message = client.kc.execute("", silent=True, store_history=False, user_expressions=wanted)
    reply = await client.async_wait_for_reply(message)
    if reply is None:
        raise SentenceFailed(f"the kernel gave no answer for {', '.join(wanted)}")
    answers = reply["content"]["user_expressions"]
    texts = [text_of(found[1], answers[found[1]]) for found in ROLE.finditer(cell.source)]
    put(cell, iter(texts))
    return texts


def put(cell: Any, texts: Iterator[str]) -> None:
    """Put the next texts in the places of a Markdown cell's expressions."""
    if cell.cell_type == "markdown":
        cell.source = ROLE.sub(lambda _: next(texts), cell.source)
