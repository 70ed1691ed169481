"""The looks at a lesson find what they are there to find; and what they let pass is there to be let pass."""

from collections import Counter

from tests.browser.access import Access
from tests.browser.excepted import EXCEPTED
from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made

HTML = """
from IPython.display import HTML

HTML({source!r})
"""
GOOD = """<p>Words, and <a href="#on" style="text-decoration: underline">a link</a>.</p>
<figure><svg role="img" aria-label="A box" width="20" height="20"><rect width="9" height="9"/></svg>
<figcaption>A box.</figcaption></figure>
<details><summary>More</summary><p>It is told.</p></details>
<table><tr><th scope="col">A wide table may scroll by itself</th><td style="min-width: 700px">1</td></tr></table>"""
PICTURE = '<svg role="img" aria-label="Words" width="90" height="30">{parts}</svg>'
# Each defect, the look that has to find it, and the rule by which it does.
DEFECTS = (
    ('<p style="color: #999; background: #fff">pale</p>', "axe", "color-contrast"),
    ("<button></button>", "axe", "button-name"),
    ("<ul><p>no item</p></ul>", "axe", "list"),
    ('<p style="color: #8e8e8e">pale</p>', "contrasts", "contrast"),
    ('<p style="opacity: .3">faint</p>', "contrasts", "contrast"),
    (PICTURE.format(parts='<text y="9" fill="#8e8e8e">pale</text>'), "contrasts", "contrast"),
    (
        PICTURE.format(parts='<rect width="90" height="30" fill="#00c"/><text y="20" fill="#111">on blue</text>'),
        "contrasts",
        "contrast",
    ),
    ("<button></button>", "reach", "name"),
    ('<span onclick="void 0">by mouse alone</span>', "reach", "reach"),
    ('<span style="cursor: pointer">by mouse alone</span>', "reach", "reach"),
    ('<button tabindex="-1">passed over</button>', "reach", "reach"),
    ("<style>.still, .still:focus { outline: none }</style><a class=still href='#on'>still</a>", "reach", "ring"),
    ('<figure><svg width="9" height="9"></svg><figcaption>A box.</figcaption></figure>', "pictures", "picture"),
    (PICTURE.format(parts=""), "pictures", "twin"),
    ('<p style="width: 900px">wide</p>', "fits", "sideways"),
    ('<p style="width: 60px; overflow: hidden; white-space: nowrap">cut off at the end</p>', "fits", "cut off"),
    ('<p style="height: 9px; overflow: hidden">cut<br>off</p>', "fits", "cut off"),
    ('<div style="height: 20px">above</div><div style="margin-top: -15px">below</div>', "fits", "overlap"),
)


def opened(lab: Lab, server: JupyterServer, *sources: str) -> Access:
    """A lesson with a cell for each piece of HTML, run, and shown as at 200 %."""
    lab.open(made(server, *(code(HTML.format(source=source)) for source in sources)))
    lab.run_all()
    assert lab.errors() == []
    return Access(lab)


def test_defects_are_found_and_nothing_else_is(lab: Lab, server: JupyterServer) -> None:
    access = opened(lab, server, GOOD)
    assert access.findings() == []
    assert set(access.looked) == {"axe", "contrasts", "reach", "pictures", "fits"}
    assert min(access.looked.values()) > 0


def test_each_defect_is_found(lab: Lab, server: JupyterServer) -> None:
    access = opened(lab, server, *(source for source, *_ in DEFECTS))
    lab.theme(dark=False)
    for name in ("axe", "contrasts", "reach", "pictures", "fits"):
        found = access.magnified() if name == "fits" else access.look(name)
        planted = Counter(rule for _, look, rule in DEFECTS if look == name)
        assert planted - Counter(each.split(": ")[0] for each in found) == Counter(), found


def test_what_is_let_pass_is_still_there(lab: Lab, server: JupyterServer) -> None:
    lab.open(made(server, *(each.example for each in EXCEPTED)))
    lab.run_all()
    access = Access(lab)
    access.findings()
    assert access.excepted == set(range(len(EXCEPTED)))
