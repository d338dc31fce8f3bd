"""The library's reference: a page for each of its parts, made by Sphinx from the docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from types import ModuleType

import yaml

from descent.files import write_whole
from descent.publish import paths
from descent.publish.authored import parsed
from descent.publish.fingerprint import digest, files_of
from descent.publish.left_out import NOT_EVERYWHERE, absent

__all__ = ["PAGE", "PARTS", "anchors", "linked", "listed", "remove", "write"]

PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "What the methods act on": {
        "landscapes": (),
        "perlin": (),
        "systems": (),
        "dynamics": (),
    },
    "Stochastic descent": {
        "markov": ("sampling", "chain_density", "stable_noise"),
        "large_deviations": (),
        "minimum_action": (),
        "rare_events": (),
        "fokker_planck": ("diffusion_limit",),
    },
    "What optimizing means": {
        "information": ("differential_entropy",),
        "influence": ("worlds",),
        "causal": (),
        "lyapunov": (),
    },
    "Searching": {
        "smoothing": ("ascent",),
        "search_distributions": (),
        "zeroth_order": ("registry",),
        "aggregation": (),
        "adam": (),
    },
    "Networks": {
        "networks": (
            "activations",
            "attribution",
            "attribution_scores",
            "character_transformer",
            "digit_images",
            "image_patches",
            "localization",
            "models",
            "perceptrons",
            "reparameterization",
            "retraining",
            "small_steps",
            "unrolled",
            "update_shares",
            "variational_autoencoder",
        ),
    },
    "Showing and checking": {
        "claims": (),
        "exercises": (),
        "explorer": (),
        "figures": (),
        "estimates": (),
        "sweeps": (),
    },
}
"""The public parts of the library, with the modules of a part that its face does not hand on."""

PAGE, FOLDER = "book/library", "api"
"""The page that leads to the parts, and the folder of their own."""
_ANCHOR = re.compile(r'\bid="((?:module-)?descent\.[\w.]+)"')
_NAME = re.compile(
    r'(?<!">)<code class="docutils literal notranslate"><span class="pre">'
    r"([a-z_]+(?:\.\w+)+)</span></code>"
)
_PARTS = {name: inside for parts in PARTS.values() for name, inside in parts.items()}


def _imported(name: str) -> ModuleType:
    """Return a module of the library, or its words alone where what it needs is not to be had."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in NOT_EVERYWHERE:
            raise
        *_, file = files_of(name, paths.ROOT / "src")
        words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        unlisted = (
            f"This copy of the book was made without {NOT_EVERYWHERE[error.name]}, "
            "which this part needs: its functions are not listed."
        )
        module = ModuleType(name, f"{words}\n\n{unlisted}")
        module.__file__ = str(file)
        return module


def first_line(module: ModuleType) -> str:
    """Return what a module says that it is, in reStructuredText."""
    return (module.__doc__ or "").strip().splitlines()[0]


def documented(module: ModuleType) -> list[str]:
    """Return the public names of a module that have a docstring, sorted.

    Those of its ``__all__``; without one, those that it defines.
    """
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    constants = said_of_constants(module)
    return sorted(n for n in names if n in constants or _has_docstring(getattr(module, n)))


def _has_docstring(value: object) -> bool:
    """Return whether it is a function, a class, or a callable with a docstring of its own."""
    ours = str(getattr(value, "__module__", "")).startswith("descent.")
    own = "__doc__" in getattr(value, "__dict__", ())
    known = inspect.isroutine(value) or inspect.isclass(value) or own
    return ours and known and bool(inspect.getdoc(value))


def said_of_constants(module: ModuleType) -> dict[str, str]:
    """Return the texts below the constants of a module, or of the modules of a package."""
    home = Path(str(module.__file__))
    found: dict[str, str] = {}
    for path in home.parent.glob("*.py") if home.name == "__init__.py" else [home]:
        body = getattr(parsed(path.read_text(encoding="utf-8")), "body", [])
        for statement, below in pairwise(body):
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
            if (
                isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                text = inspect.cleandoc(below.value.value)
                found |= {target.id: text for target in targets if isinstance(target, ast.Name)}
    return found


def _directives(module: ModuleType, seen: set[int]) -> Iterator[str]:
    constants = said_of_constants(module)
    for name in documented(module):
        value = getattr(module, name)
        if id(value) in seen:
            continue
        seen.add(id(value))
        place = f"{module.__name__}.{name}"
        if inspect.isclass(value):
            # The fields of a named tuple stand among its attributes.
            fields = ", ".join(getattr(value, "_fields", ()))
            apart = f"\n   :exclude-members: {fields}" if fields else ""
            yield f".. autoclass:: {place}\n   :members:{apart}"
        elif _has_docstring(value):
            yield f".. autofunction:: {place}"
        else:
            yield f".. py:data:: {place}\n\n{indent(constants[name], '   ')}"


def page(name: str) -> str:
    """Return the page of a part of the library, for MyST."""
    module, seen = _imported(f"descent.{name}"), set[int]()
    parts = [
        f"# descent.{name}",
        _evaluated(_of(module)),
        _evaluated(*_directives(module, seen)),
    ]
    for inside in _PARTS[name]:
        inner = _imported(f"descent.{name}.{inside}")
        parts += [f"## descent.{name}.{inside}", _evaluated(_of(inner))]
        parts.append(_evaluated(*_directives(inner, seen)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _of(module: ModuleType) -> str:
    return f".. py:module:: {module.__name__}\n\n{inspect.getdoc(module) or ''}"


def _evaluated(*texts: str) -> str:
    text = "\n\n".join(text.strip() for text in texts)
    return f"```{{eval-rst}}\n{text}\n```" if text else ""


def listing() -> str:
    """Return the list of all parts with what each is, for the page that leads to them."""
    lines = []
    for head, parts in PARTS.items():
        lines.append(f"**{head}**\n")
        for name in parts:
            what = first_line(_imported(f"descent.{name}")).rstrip(".")
            lines.append(f"- [`descent.{name}`](api/{name}.md): {re.sub('``?', '`', what)}.")
        lines.append("")
    return "\n".join(lines)


@cache
def _texts() -> dict[str, str]:
    """Return the list and the pages; from the last build, where the library stands as it was.

    To import all of the library takes as long as all else that lays out the book.
    """
    files = sorted((paths.ROOT / "src").rglob("*.py"))
    state = digest([*(path.read_bytes() for path in files), *(name.encode() for name in absent())])
    place = paths.BUILD / "reference.json"
    with suppress(OSError, ValueError):
        kept = json.loads(place.read_text(encoding="utf-8"))
        if kept.pop("state") == state:
            return dict(kept)
    texts = {"": listing()} | {name: page(name) for name in _PARTS}
    write_whole(place, json.dumps({"state": state} | texts, ensure_ascii=False))
    return texts


def listed() -> str:
    """Return the list of all parts, as `listing` makes it."""
    return _texts()[""]


def write(folder: Path) -> None:
    """Write a page for each part."""
    for name in _PARTS:
        write_whole(folder / FOLDER / f"{name}.md", _texts()[name])


def remove(book: Path) -> None:
    """Take the reference out of a staged book: it is looked up, and not read on paper."""
    shutil.rmtree(book / FOLDER)
    (book.parent / f"{PAGE}.md").unlink()
    contents = yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))
    for part in contents["parts"]:
        part["chapters"] = [c for c in part["chapters"] if c["file"] != PAGE]
    write_whole(book / "_toc.yml", yaml.safe_dump(contents, sort_keys=False))


def anchors(html: Path) -> dict[str, str]:
    """Return where the functions and classes of the library stand, by name without ``descent.``."""
    found = {}
    for name in _PARTS:
        text = (html / "book" / FOLDER / f"{name}.html").read_text(encoding="utf-8")
        for anchor in _ANCHOR.findall(text):
            of = anchor.removeprefix("module-").removeprefix("descent.")
            found[of] = f"book/{FOLDER}/{name}.html#{anchor}"
    return found


def linked(page: str, places: Mapping[str, str], root: str) -> str:
    """Return a page whose names of the library lead to what the reference says of them.

    Parameters
    ----------
    page
        HTML.
    places
        As of `anchors`.
    root
        From the page to the root of the pages, such as ``../``.

    Examples
    --------
    >>> code = '<code class="docutils literal notranslate"><span class="pre">a.b</span></code>'
    >>> linked(code, {"a.b": "book/api/a.html#descent.a.b"}, "../")[:39]
    '<a href="../book/api/a.html#descent.a.b'
    """

    def link(found: re.Match[str]) -> str:
        place = places.get(found[1].removeprefix("descent."))
        return f'<a href="{root}{place}">{found[0]}</a>' if place else found[0]

    return _NAME.sub(link, page)
