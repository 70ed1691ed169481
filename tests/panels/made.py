"""Lanes made by hand, in milliseconds, as if somebody had recorded them."""

from collections.abc import Sequence

from helpers.observe.reading import Held, Lane, Note, Span

MS = 1_000_000


def span(start: float, end: float | None, name: str = "work", *, cpu: float = 0, depth: int = 0) -> Span:
    """A span; times in milliseconds."""
    if end is None:
        return Span(name, round(start * MS), None, None, depth)
    return Span(name, round(start * MS), round(end * MS), round(cpu * MS), depth)


def hold(lock: str, start: float, end: float | None) -> Held:
    """A named lock that was held, or is held still; times in milliseconds."""
    return Held(lock, round(start * MS), None if end is None else round(end * MS))


def lane(  # noqa: PLR0913 - each names one thing that a lane says
    *spans: Span,
    title: str = "worker",
    notes: Sequence[Note] = (),
    ticks: Sequence[float] = (),
    dropped: int = 0,
    seen: float = 0,
    held: Sequence[Held] = (),
    holding: Sequence[Held] = (),
) -> Lane:
    """A lane opened at 0; times in milliseconds."""
    made = Lane()
    made.title, made.pid, made.dropped = title, 4321, dropped
    made.spans, made.notes = list(spans), list(notes)
    made.ticks = [round(tick * MS) for tick in ticks]
    made.held, made.holding = list(held), list(holding)
    made.seen = round(seen * MS) or max((s.end or s.start for s in spans), default=0)
    return made
