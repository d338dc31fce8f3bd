"""Of what a terminal is told a page keeps the text and the colours."""

import warnings

import pytest
from myst_nb.core.lexers import AnsiColorLexer

from descent.publish.terminal import for_page

ESC = "\x1b"
# What a program writes, what stands on the page, and the kinds of what has a colour.
WRITTEN = {
    f"{ESC}[2K\r{ESC}[1A{ESC}[?25lcleared{ESC}[?25h": ("\rcleared", set()),
    f"{ESC}]8;;https://x.org{ESC}\\link{ESC}]8;;{ESC}\\": ("link", set()),
    f"{ESC}]0;title\x07text": ("text", set()),
    f"{ESC}[38:2::10:200:30mcolons{ESC}[0m": ("colons", {"C40"}),
    f"{ESC}[38;2;10;200;30mtrue{ESC}[m": ("true", {"C40"}),
    f"{ESC}[38:5:40mcolons{ESC}[0m": ("colons", {"C40"}),
    f"{ESC}[1;91mbright{ESC}[39m": ("bright", {"Bold.C9"}),
    f"{ESC}[4:3;31mcurly{ESC}[0m": ("curly", {"Red"}),
    f"{ESC}[48;5;17;97mboth{ESC}[0m": ("both", {"C15.BGC17"}),
    f"{ESC}(Bcharset {ESC}": ("charset ", set()),
    f"{ESC}[38;2;1": ("", set()),
    f"{ESC}[38;2;1mcut": ("cut", set()),
    f"{ESC}]no end": ("", set()),
}


@pytest.mark.parametrize(("written", "shown"), WRITTEN.items())
def test_a_page_has_the_text_and_the_colours(written, shown):
    with warnings.catch_warnings(action="error"):
        tokens = list(AnsiColorLexer(stripnl=False, ensurenl=False).get_tokens(for_page(written)))
    assert "".join(text for _, text in tokens) == shown[0].replace("\r", "\n")
    kinds = {str(kind).removeprefix("Token.Color.") for kind, text in tokens if text}
    assert {kind for kind in kinds if kind not in ("Token.Text", "Token.Color")} == shown[1]
    assert "Error" not in str(kinds)
