"""Turn spans into bars to draw: spans narrower than a pixel are merged, so that 100,000 of them still draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from helpers.observe.reading import Span

SEVERAL: Final = "several"


@dataclass(slots=True)
class Bar:
    """One rectangle of a lane: one span, or many too narrow to draw alone.

    Attributes:
        name: the spans' name, or `SEVERAL` where they differ.
        start: nanoseconds of `time.perf_counter_ns`.
        end: likewise.
        depth: the row it stands in.
        covered: nanoseconds that its spans last together.
        cpu: nanoseconds of these on a core; None while the span is open.
        count: how many spans it stands for.
    """

    name: str
    start: int
    end: int
    depth: int
    covered: int
    cpu: int | None
    count: int = 1

    @property
    def running(self) -> float | None:
        """The share of its time that was spent on a core, 0 to 1; None if that is not known yet."""
        if self.cpu is None:
            return None
        return min(1.0, self.cpu / self.covered) if self.covered else 0.0


def bars(spans: Sequence[Span], now: int, pixel: float, rows: int) -> list[Bar]:
    """Merge `spans`, given in the order they began, into bars.

    Args:
        spans: one lane's.
        now: where an open span ends for now, in nanoseconds.
        pixel: nanoseconds that one pixel stands for.
        rows: spans nested this deep or deeper are left out.
    """
    drawn: list[Bar] = []
    last: list[Bar | None] = [None] * rows
    for name, start, end, cpu, depth in spans:
        if depth >= rows:
            continue
        stop = now if end is None else end
        run = last[depth]
        if run is not None and stop - start < pixel and cpu is not None and _joins(run, start, pixel):
            run.end = stop
            run.covered += stop - start
            run.cpu = (run.cpu or 0) + cpu
            run.count += 1
            if run.name != name:
                run.name = SEVERAL
        else:
            last[depth] = bar = Bar(name, start, stop, depth, stop - start, cpu)
            drawn.append(bar)
    return drawn


def _joins(run: Bar, start: int, pixel: float) -> bool:
    """Whether a narrow span that begins at `start` may be drawn as a part of `run`.

    A run may grow wide, but a span that is wide by itself stays alone, and so does one that is still open.
    """
    return run.cpu is not None and start - run.end < pixel and (run.count > 1 or run.end - run.start < pixel)
