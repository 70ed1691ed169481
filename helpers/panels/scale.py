"""A picture's scale of time: moments become percentages, so that it stretches while its text does not."""

from collections.abc import Iterator

from helpers.panels.theme import LINE


class Scale:
    """Turns moments, in nanoseconds, into percentages of the picture's width.

    Args:
        zero: the moment at its left edge.
        end: the moment at its right edge; later than `zero`.
    """

    def __init__(self, zero: int, end: int) -> None:
        self.zero, self.length = zero, end - zero

    def x(self, moment: int) -> float:
        """Where `moment` lies, 0 to 100."""
        return 100 * max(0, moment - self.zero) / self.length

    def axis(self, top: int) -> Iterator[str]:
        """The line of times below the lanes, `top` pixels down, as SVG."""
        step = next(s for s in _steps() if self.length / s <= 8)
        yield f'<line x1="0" x2="100%" y1="{top}" y2="{top}" stroke="{LINE}"/>'
        for n in range(int(self.length / step) + 1):
            x, anchor = 100 * n * step / self.length, "start" if n == 0 else "middle"
            if x <= 97:
                label = f"{n * step / 1e9:g} s" if step >= 1e8 else f"{n * step / 1e6:g} ms"
                yield f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="{top}" y2="{top + 4}" stroke="{LINE}"/>'
                yield f'<text class="faint" x="{x:.2f}%" y="{top + 15}" text-anchor="{anchor}">{label}</text>'


def _steps() -> Iterator[int]:
    step = 1000
    while True:
        yield from (step, 2 * step, 5 * step)
        step *= 10
