"""What the lab shows beside its listings, as HTML: each thread's state, what is shared, the steps so far.

All of it is made from one `Situation`, and the one before it, from which it differs in what the last step did.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from helpers.observe.lab.results import Exploration, Situation, ThreadView, plural
from helpers.panels.graph import graph
from helpers.panels.listing import Mark, colour_of, pill
from helpers.panels.markup import passage, short
from helpers.panels.schedules import Bad
from helpers.panels.theme import FAINT_INK, INK, LINE
from helpers.panels.verdict import Verdict

FRESH: Final = "You are the scheduler. Press a Step button: that thread alone takes one step."
FOUND: Final = {
    "deadlock": "a deadlock",
    "stuck": "threads that wait for ever",
    "livelock": "a livelock",
    "wrong result": "a wrong result",
    "error": "an error",
}
BOARD_STYLE: Final = f"""<style>
.pc-lab {{ max-width: 1000px; }}
.pc-lab .widget-html, .pc-lab .widget-html-content {{ line-height: 1.4; height: auto; min-width: 0; }}
.pc-lab figcaption {{ display: none; }}
.pc-lab .jupyter-button {{ max-width: 100%; height: auto; min-height: var(--jp-widgets-inline-height, 28px);
  line-height: 1.4; padding: 4px 10px; white-space: normal; overflow-wrap: anywhere; }}
.pc-board {{ color: {INK}; font: 13px/1.5 var(--jp-ui-font-family, sans-serif); }}
.pc-board h4 {{ font: bold 12px/1.5 var(--jp-ui-font-family, sans-serif); color: {FAINT_INK}; margin: 0 0 2px; }}
.pc-board table {{ border-collapse: collapse; margin: 0 !important; font: inherit; border: none; }}
.pc-board td, .pc-board th {{ border: none; padding: 2px 14px 2px 0; text-align: left !important; font: inherit;
  vertical-align: top; overflow-wrap: anywhere; }}
.pc-board th {{ font-family: var(--jp-code-font-family, monospace); white-space: nowrap; }}
.pc-board tr.new td {{ font-weight: bold; }}
.pc-board tr.new td::after {{ content: " ◂ new"; font-weight: normal; color: {FAINT_INK}; }}
.pc-steps {{ display: flex; flex-direction: column-reverse; max-height: 220px; overflow-y: auto; }}
.pc-steps ol {{ margin: 0 !important; padding: 0 !important; list-style: none; }}
.pc-steps li {{ display: flex; gap: 6px; padding: 1px 0; }}
.pc-steps .pc-number {{ flex: none; width: 2.2em; text-align: right; color: {FAINT_INK}; }}
.pc-steps li:last-child {{ font-weight: bold; }}
.pc-faint {{ color: {FAINT_INK}; }}
.pc-rule {{ border-top: 1px solid {LINE}; margin: 4px 0; }}
</style>"""


def marks(situation: Situation) -> list[Mark]:
    """Where each thread stands."""
    return [Mark(view.name, place, view.state, view.line) for place, view in enumerate(situation.threads)]


def state(situation: Situation, place: int) -> str:
    """What thread number `place` does next, what it waits for, or how it ended; as HTML."""
    view = situation.threads[place]
    mark = pill(Mark(view.name, place, view.state, view.line), named=False)
    return f'<div class="pc-board">{mark} {passage(state_words(situation, view))}</div>'


def state_words(situation: Situation, view: ThreadView) -> str:
    """The same as plain text."""
    if view.state == "ready":
        return f"next: {view.next}"
    if view.state == "failed":
        return f"failed: {view.error}"
    if view.state == "ended":
        return "ended"
    lock = next((wait.lock for wait in situation.waits.waits if wait.worker == view.name), "")
    holders = " and ".join(situation.waits.holders(lock))
    if not holders:
        return f"waits: {view.next}"
    return f"waits for {lock}, which {holders} {'hold' if ' and ' in holders else 'holds'}"


def board(situation: Situation, before: Situation | None) -> str:
    """What is shared, with what is new since `before`, and the steps so far; as HTML."""
    return (
        f'<div class="pc-board"><h4>Shared by all threads</h4><table>{"".join(_shared(situation, before))}</table>'
        f'<div class="pc-rule"></div><h4>Steps so far</h4>{_steps(situation)}</div>'
    )


def status(path: Sequence[Situation], exploration: Exploration | None, doing: str, trouble: str) -> str:
    """How things stand, as HTML.

    Args:
        path: the situations so far.
        exploration: what all schedules lead to, if they were tried.
        doing: what goes on now; empty if nothing does.
        trouble: why the last click had no answer; empty if it had.
    """
    return f'<div class="pc-board" role="status">{"".join(_said(path, exploration, doing, trouble))}</div>'


def _said(path: Sequence[Situation], exploration: Exploration | None, doing: str, trouble: str) -> Iterator[str]:
    if trouble:
        yield Bad(good=False, heading="The lab cannot go on.", lines=(trouble,))._repr_html_()
    elif not path:
        yield _line("The program is being started …")
    elif (ending := path[-1].verdict) is not None:
        yield (Verdict if ending.good else Bad)(ending.good, ending.words)._repr_html_()
    elif len(path) == 1:
        yield _line(FRESH)
    else:
        yield _line(f"{plural(len(path) - 1, 'step')} taken. Who goes next?")
    if doing:
        yield _line(doing)
    elif exploration is not None:
        yield _outcome(exploration)


def _outcome(exploration: Exploration) -> str:
    """What all schedules lead to; of a bad one, only that it is there, for a replay shows it."""
    if exploration.bad is None:
        good = exploration.complete
        why = ("In whatever order the threads take their steps, nothing goes wrong.",) if good else ()
        return Verdict(good, exploration.words, why)._repr_html_()
    steps = plural(len(exploration.bad.schedule), "step")
    return _line(f"✖ Found: {FOUND[exploration.bad.kind]} after {steps}. Press Replay to watch it happen.")


def _line(words: str) -> str:
    return f"<div>{passage(words)}</div>"


def picture(situation: Situation) -> str:
    """Who holds what and who waits for what, as HTML; empty while nobody does."""
    waits = situation.waits
    return graph(waits) if waits.holds or waits.waits else ""


def _shared(situation: Situation, before: Situation | None) -> Iterator[str]:
    old = dict(before.shared) if before else dict(situation.shared)
    for name, words in situation.shared:
        new = ' class="new"' if old.get(name) != words else ""
        yield f'<tr{new}><th scope="row">{short(name)}</th><td>{passage(words)}</td></tr>'


def _steps(situation: Situation) -> str:
    if not situation.log:
        return '<div class="pc-faint">none yet</div>'
    items = "".join(
        f'<li><span class="pc-number">{number}.</span><span style="color:{colour_of(place)}">■</span>'
        f"<span>{passage(words)}</span></li>"
        for number, (place, words) in enumerate(zip(situation.steps, situation.log, strict=True), 1)
    )
    return f'<div class="pc-steps" tabindex="0"><ol>{items}</ol></div>'
