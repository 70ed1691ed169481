"""Run all benchmarks, one after the other, and print one page of Markdown: figures and aims, then all tables.

    uv run --all-groups python -m benchmarks
    uv run --all-groups python -m benchmarks --only peers

Each runs in a process of its own with a time limit. What a benchmark needs and does not find, it says in its place.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.report import HEAD, RULE, aim_rows, machine

ROOT: Final = Path(__file__).parents[1]
BUSY: Final = 0.5
LIMITS: Final = {  # seconds; those with the finest measurements first, before others have warmed the machine
    "peers": 840,
    "spent": 120,
    "observe": 120,
    "live_view": 240,
    "clicks": 60,
    "starting": 120,
    "faults": 420,
    "explorer": 180,
    "lessons": 420,
    "opening": 420,
    "lab": 600,
}


class Printed(NamedTuple):
    """What a benchmark has printed; what went wrong is said in it."""

    name: str
    text: str
    well: bool

    @property
    def command(self) -> str:
        """What prints it again."""
        return f"uv run --all-groups python -m benchmarks.{self.name}"


def run(name: str) -> Printed:
    """Run one benchmark; it and all it has started are ended when its time is up."""
    with subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=os.name == "posix",
    ) as process:
        try:
            text, errors = process.communicate(timeout=LIMITS[name])
        except subprocess.TimeoutExpired:
            end(process)
            text, _ = process.communicate()
            return Printed(name, f"{text}\n**Not finished within {LIMITS[name]} s.**", well=False)
        except BaseException:  # Ctrl-C: it has a group of its own, and would go on
            end(process)
            raise
    if process.returncode:
        return Printed(name, f"{text}\n**Failed:**\n\n```\n{errors[-2000:]}\n```", well=False)
    return Printed(name, text, well=True)


def end(process: subprocess.Popen[str]) -> None:
    """End a benchmark and all that it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def page(printed: list[Printed], about: str) -> str:
    """All of it as Markdown."""
    lines = [f"# Benchmarks\n\n{about}\n", f"{HEAD[:-1]}| command |", f"{RULE}---|"]
    for one in printed:
        lines += [f"{row} `{one.command}` |" for row in aim_rows(one.text)]
        lines += [] if one.well else [f"| {one.name} | | | **failed**, see below | `{one.command}` |"]
    for one in printed:
        lines += [f"\n## {one.name}\n\n`{one.command}`\n", one.text.strip()]
    return "\n".join(lines)


def warning() -> str:
    """What to say of a machine that is busy with other things; nothing if it is not."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"\n\n**THE MACHINE IS BUSY: load {load:.1f}. These figures are no good.**" if load > BUSY else ""


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description="Run all benchmarks and print one page of Markdown.")
    parser.add_argument("--only", choices=LIMITS, help="run this one alone")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as Ctrl-C: what runs is ended too
    about = machine() + warning()
    print(about, file=sys.stderr)
    printed = []
    for name in [chosen.only] if chosen.only else LIMITS:
        print(f"{name} …", file=sys.stderr, flush=True)
        printed.append(run(name))
    print(page(printed, about))
    return 0 if all(one.well for one in printed) else 1


if __name__ == "__main__":
    sys.exit(main())
