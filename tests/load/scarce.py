"""What is done while the folder for temporary files is full or read-only; `test_no_room` runs it as a program.

    python -m tests.load.scarce FOLDER KIND STEP

FOLDER is a small disk of its own. A step fails by an exception; what it says is the message that a learner would see,
and at last what is left on the disk.
"""

import asyncio
import errno
import multiprocessing
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from helpers.observe.locks import named
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.explorer import Explorer
from helpers.panels.explorer_canvas import Canvas
from helpers.panels.hosts import hosts
from helpers.panels.live_view import LiveView
from helpers.panels.pool_view import PoolView
from helpers.panels.sandbox import run_in_sandbox
from helpers.panels.timeline import Timeline
from helpers.workers.fractal import View
from helpers.workers.local_server import local_server
from helpers.workers.sources import functions_in
from tests.load import doings

CHUNK: Final = 4_096
OWN: Final = "pymp-"  # of multiprocessing's own, which it deletes as the program ends
WORKERS: Final = 3
Scarce = Callable[[], None]


def _fits(file: FileIO) -> bool:
    try:
        return bool(file.write(bytes(CHUNK)))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def say(*words: object) -> None:
    """Say it on the standard output."""
    sys.stdout.write(f"{' '.join(map(str, words))}\n")


def filled(folder: str) -> None:
    """Leave no room on the disk at all."""
    with Path(folder, "filler").open("wb", buffering=0) as file:
        while _fits(file):
            pass


def made_read_only(folder: str) -> None:
    """Let nobody write to the disk any more."""
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


KINDS: Final = {"full": filled, "read-only": made_read_only}


def workers_of_a_trace(scarce: Scarce) -> None:
    """Threads and processes do their work, and the picture says that it does not show them."""
    with Trace() as trace:
        scarce()
        ended = asyncio.run(_watched(trace))
        assert set(ended.values()) == {"finished"}, ended
        assert trace.trouble() in Timeline(trace).text
        say(trace.trouble())


async def _watched(trace: Trace) -> dict[str, str]:
    context = multiprocessing.get_context("fork")
    workers: list[Any] = [context.Process(target=doings.work, args=(trace, n)) for n in range(WORKERS)]
    workers += [threading.Thread(target=doings.work, args=(trace, n)) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    return await LiveView(trace, workers)


def tasks_of_a_pool(scarce: Scarce) -> None:
    """A pool's tasks have their results."""
    with Trace() as trace, multiprocessing.get_context("fork").Pool(2) as pool:
        scarce()
        results = asyncio.run(_results(trace, pool))
        assert list(results.values()) == list(range(WORKERS))
        say(trace.trouble())


async def _results(trace: Trace, pool: Any) -> dict[str, Any]:
    ending = await PoolView(trace, pool, [pool.apply_async(doings.work, (trace, n)) for n in range(WORKERS)])
    assert ending.fault is None, ending.fault.words
    return ending.results


def named_locks(scarce: Scarce) -> None:
    """Locks that cannot be recorded lock all the same, and those that are recorded already go on."""
    with Trace() as trace:
        context = multiprocessing.get_context("fork")
        before = named("before", context.Lock(), trace)
        scarce()
        locks = [before, named("after", context.Lock(), trace)]
        total = context.RawValue("q", 0)
        workers = [context.Process(target=doings.add, args=(trace, locks, total)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert total.value == 2 * doings.ADDITIONS, total.value
        trace.lanes()
        say(trace.trouble())


def new_trace(scarce: Scarce) -> None:
    """A trace that cannot be made says why; one that can works, and says that it does not see."""
    scarce()
    try:
        with Trace() as trace:
            assert doings.work(trace, 1) == 1
            trace.lanes()
            say(trace.trouble())
    except OSError as error:
        say(error)


def sandbox(scarce: Scarce) -> None:
    """A function in a sandbox ends as it would, or the sandbox says why it cannot begin."""
    scarce()
    try:
        outcome = run_in_sandbox(doings.chatter, limit=20.0)
        assert (outcome.kind, outcome.value) == ("finished", 42), outcome
        say(tempfile.gettempdir(), "TMPDIR")
    except OSError as error:
        say(error)


def with_files(answer: Callable[[], int]) -> str | None:
    """What a check does that needs files for its answer."""
    with TemporaryDirectory() as folder:
        Path(folder, "numbers").write_text("1\n" * 10_000)
        return None if answer() == 42 else "It is 42."


def exercise(scarce: Scarce) -> None:
    """A check that needs files says that it has none, and does not blame the answer."""
    scarce()
    say(repr(Exercise(Property("files", with_files))(doings.chatter)))


def cluster(scarce: Scarce) -> None:
    """A cluster that cannot start says why, soon, and leaves no command running."""
    scarce()
    try:
        with hosts(workers=1):
            say(tempfile.gettempdir(), "TMPDIR")
    except (OSError, RuntimeError) as error:
        say(error)


def without_files(scarce: Scarce) -> None:
    """The explorer, the local server and the indexing of sources need no temporary files."""
    scarce()

    async def main() -> None:
        async def draw(*_: object) -> None: ...

        view = Explorer(View(), lambda size: size, draw, draw, Canvas(8, 4))
        await view.drawn()
        await view.stop()

    asyncio.run(main())
    with local_server(delay=0.0):
        pass
    assert functions_in(tempfile.__file__)
    say(tempfile.gettempdir(), "TMPDIR")


STEPS: Final = {
    step.__name__: step
    for step in (
        workers_of_a_trace,
        tasks_of_a_pool,
        named_locks,
        new_trace,
        sandbox,
        exercise,
        cluster,
        without_files,
    )
}


def main(folder: str, kind: str, step: str) -> None:
    """Do one step."""
    tempfile.tempdir = folder
    STEPS[step](lambda: KINDS[kind](folder))
    if kind == "full":
        Path(folder, "filler").unlink(missing_ok=True)
    say("left:", sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith(OWN)))


if __name__ == "__main__":
    main(*sys.argv[1:])
