"""What cannot be mended from here: the one list of what the accessibility tests let pass, and why.

A test shows each entry's `example` and sees that it is still found: what has been mended elsewhere must go from here.
"""

from typing import Any, Final, NamedTuple

from tests.browser.making import code, prose


class Excepted(NamedTuple):
    """A defect of a page that is not ours to mend."""

    rule: str
    selector: str
    why: str
    example: dict[str, Any]
    """A cell that has it."""


_TRACEBACK: Final = '[data-mime-type="application/vnd.jupyter.stderr"]'
_COLOURED: Final = "IPython colours the words of a traceback and JupyterLab puts red behind them; the words tell all"
_FAILS: Final = code("1 / 0", "raises-exception")
_CODE: Final = "JupyterLab colours the words of a program in prose, which may carry no style of ours"
_PROGRAM: Final = prose("```python\n# A comment, and a bracket.\nprint({1: 'one'})\n```")
EXCEPTED: Final = (
    Excepted(
        "link-in-text-block",
        ".jp-MarkdownOutput a",
        "JupyterLab gives links in prose another colour and no line below; markdown may carry no style of ours",
        prose("A link that [leads on](#on) stands within these words."),
    ),
    Excepted(
        "link-in-text-block",
        f"{_TRACEBACK} a",
        "JupyterLab makes links of the files in a traceback, and gives them no line below",
        _FAILS,
    ),
    Excepted("color-contrast", f"{_TRACEBACK} span", _COLOURED, _FAILS),
    Excepted("contrast", f"{_TRACEBACK} span", _COLOURED, _FAILS),
    Excepted("color-contrast", ".jp-MarkdownOutput pre span", _CODE, _PROGRAM),
    Excepted("contrast", ".jp-MarkdownOutput pre span", _CODE, _PROGRAM),
)
