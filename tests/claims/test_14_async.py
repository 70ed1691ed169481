"""What lesson 14 says of asyncio and no cell of it shows."""

import asyncio
import gc
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.observe.cores import count_cores
from helpers.observe.trace import Trace
from helpers.workers.local_server import fetch_async
from helpers.workers.parsing import count_functions
from helpers.workers.sources import LIBRARY
from tests.observe.starting import until

LIMIT = 30.0
SLOW = 0.3  # seconds


def run(main: Awaitable[Any], *, debug: bool = False) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(LIMIT):
            return await main

    return asyncio.run(limited(), debug=debug)


async def beats_during(call: Callable[[], Any]) -> int:
    """How often a task on the same loop beats, every few milliseconds, while `await call()` goes on."""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.005)
            beats += 1

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    before = beats
    await call()
    during = beats - before
    heart.cancel()
    return during


def wait_for_a_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(SLOW,))
    thread.start()
    thread.join()


def wait_for_a_queue() -> None:
    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=SLOW)


def wait_for_a_program() -> None:
    subprocess.run([sys.executable, "-c", f"import time; time.sleep({SLOW})"], check=True)


LATE_WRITER = """
import sys, time
time.sleep(float(sys.argv[2]))
with open(sys.argv[1], "w") as file:
    time.sleep(float(sys.argv[2]))
    file.write("late")
"""


def wait_for_a_file() -> None:
    """Open and read a named pipe whose writer comes late: half of the time to open it, half to read it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipe")
        os.mkfifo(path)
        with subprocess.Popen([sys.executable, "-c", LATE_WRITER, path, str(SLOW / 2)]), path.open() as file:
            assert file.read() == "late"


each_blocker = pytest.mark.parametrize(
    "blocker",
    [
        pytest.param(lambda: time.sleep(SLOW), id="time.sleep"),
        pytest.param(wait_for_a_thread, id="Thread.join"),
        pytest.param(wait_for_a_queue, id="queue.get"),
        pytest.param(wait_for_a_program, id="subprocess.run"),
        pytest.param(
            wait_for_a_file,
            id="open and read",
            marks=pytest.mark.skipif(os.name != "posix", reason="no named pipes in the file system"),
        ),
    ],
)


@each_blocker
def test_a_blocking_call_in_a_coroutine_holds_up_all_others(blocker: Callable[[], None]):
    took = 0.0

    async def call_it() -> None:
        nonlocal took
        began = time.monotonic()
        blocker()
        took = time.monotonic() - began

    assert run(beats_during(call_it)) == 0
    assert took >= 0.9 * SLOW, "there was nothing to hold up"


@each_blocker
def test_in_a_thread_it_does_not(blocker: Callable[[], None]):
    assert run(beats_during(lambda: asyncio.to_thread(blocker))) > 0


def test_in_a_thread_the_heart_beats_during_a_computation_too():
    sources = [Path(LIBRARY, f"{name}.py").read_bytes() for name in ("argparse", "inspect", "typing", "tarfile")]

    def compute() -> None:
        for source in sources * 2:
            count_functions(trace, source)

    with Trace() as trace:
        assert run(beats_during(lambda: asyncio.to_thread(compute))) > 0


def test_debug_mode_logs_a_turn_that_lasts_longer_than_a_tenth_of_a_second(caplog: pytest.LogCaptureFixture):
    async def rude() -> None:
        assert asyncio.get_running_loop().slow_callback_duration == 0.1
        time.sleep(0.2)  # noqa: ASYNC251 - what is to be found out

    with caplog.at_level(logging.WARNING, logger="asyncio"):
        run(rude(), debug=True)
    assert any("took 0." in record.getMessage() for record in caplog.records)


def test_the_linter_finds_a_sleep_that_blocks(tmp_path: Path):
    file = tmp_path / "rude.py"
    file.write_text("import time\n\n\nasync def nap():\n    time.sleep(1)\n")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "ASYNC", file]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "ASYNC251" in found.stdout


def test_to_thread_has_four_threads_more_than_cores_and_32_at_most():
    async def pool_of_the_loop() -> Any:
        await asyncio.to_thread(time.sleep, 0)
        return asyncio.get_running_loop()._default_executor  # it has no public name

    pool = run(pool_of_the_loop())
    assert isinstance(pool, ThreadPoolExecutor)
    assert pool._max_workers in {min(32, count_cores().exist + 4), min(32, count_cores().usable + 4)}


def test_several_failures_come_in_one_group():
    async def fail(error: Exception) -> None:
        raise error

    async def two() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("one")))
            group.create_task(fail(OSError("two")))

    with pytest.raises(ExceptionGroup) as caught:
        run(two())
    assert [type(error) for error in caught.value.exceptions] == [ValueError, OSError]


def test_a_cancelled_fetch_closes_its_connection():
    async def give_up() -> tuple[bytes, bytes]:
        asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        then: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set_result(await reader.readuntil(b"\r\n\r\n"))
            then.set_result(await reader.read())  # up to the end of the connection
            writer.close()

        async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
            fetch = asyncio.create_task(fetch_async(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/1"))
            request = await asked
            fetch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetch
            return request, await then

    request, rest = run(give_up())
    assert request.startswith(b"GET /1")
    assert rest == b""


def test_the_loop_alone_does_not_keep_a_waiting_task_alive(caplog: pytest.LogCaptureFixture):
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    async def forget() -> bool:
        task = weakref.ref(asyncio.create_task(wait()))
        await asyncio.sleep(0)
        gc.collect()
        return task() is None

    with caplog.at_level(logging.ERROR, logger="asyncio"):
        assert run(forget())
    assert "destroyed but it is pending" in caplog.text


SCRIPT = """
import asyncio, sys, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

def work_on(file):
    time.sleep(1.5)
    file.touch()

async def main(file):
    pool = ThreadPoolExecutor(1) if sys.argv[1] == "thread" else ProcessPoolExecutor(1)
    work = pool.submit(work_on, file)
    while not work.running():
        await asyncio.sleep(0.01)
    async with asyncio.timeout(0.05):
        await asyncio.wrap_future(work)

if __name__ == "__main__":
    file = Path(sys.argv[2])
    try:
        asyncio.run(main(file))
    except TimeoutError:
        print("gave up, finished:", file.exists())
"""


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_script_ends_only_after_the_work_it_no_longer_waits_for(kind: str, tmp_path: Path):
    script, result = tmp_path / "script.py", tmp_path / "result"
    script.write_text(SCRIPT)
    said = subprocess.check_output([sys.executable, script, kind, result], text=True, timeout=LIMIT)
    assert said == "gave up, finished: False\n"
    assert result.exists(), "the script ended before its work"


def test_plain_gather_tells_the_first_error_at_once_and_lets_the_others_run_on():
    async def fail() -> None:
        raise OSError("no such page")

    async def gather() -> bool:
        go_on = asyncio.Event()
        other = asyncio.create_task(go_on.wait())
        with pytest.raises(OSError, match="no such page"):
            await asyncio.gather(other, fail())
        go_on.set()
        return await other  # it would raise CancelledError

    assert run(gather())


def test_cancel_only_asks_and_the_task_ends_when_it_is_awaited():
    async def ask() -> tuple[bool, bool]:
        task = asyncio.create_task(asyncio.sleep(LIMIT))
        await asyncio.sleep(0)
        task.cancel()
        asked = task.done()
        await asyncio.wait([task])
        return asked, task.cancelled()

    assert run(ask()) == (False, True)


def test_leaving_the_block_of_a_pool_blocks_the_loop_until_its_work_is_done():
    async def leave() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(time.sleep, SLOW)

    async def leave_politely() -> None:
        pool = ThreadPoolExecutor(1)
        pool.submit(time.sleep, SLOW)
        await asyncio.to_thread(pool.shutdown)

    assert run(beats_during(leave)) == 0
    assert run(beats_during(leave_politely)) > 0


def test_a_group_raises_a_group_even_for_one_failure():
    async def fail() -> None:
        raise OSError("no such page")

    async def one() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        run(one())
    assert [type(error) for error in caught.value.exceptions] == [OSError]


def test_a_coroutine_can_be_awaited_once_and_one_never_awaited_is_warned_of():
    async def rest() -> str:
        return "rested"

    async def twice() -> str:
        nap = rest()
        assert await nap == "rested"
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await nap
        with pytest.warns(RuntimeWarning, match="was never awaited"):
            rest()
        return "done"

    assert run(twice()) == "done"


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_cancelling_reaches_work_in_the_queue_and_never_what_has_begun(kind: type[ThreadPoolExecutor]):
    async def give_up(pool: ThreadPoolExecutor) -> list[bool]:
        works = [pool.submit(time.sleep, 1.5) for _ in range(5)]
        await asyncio.to_thread(until, works[0].running, "the first to begin")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.gather(*map(asyncio.wrap_future, works))
        return [work.cancelled() for work in works]

    with kind(1) as pool:
        cancelled = run(give_up(pool))
    assert not cancelled[0]
    assert cancelled[-1]


MEMORY = """
import asyncio, sys, threading
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

def wait_in_threads(count):
    end = threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    print(resident() - before)
    end.set()
    for thread in threads:
        thread.join()

async def wait_in_tasks(count):
    end = asyncio.Event()
    tasks = [asyncio.create_task(end.wait()) for _ in range(count)]
    await asyncio.sleep(0)
    print(resident() - before)
    end.set()
    await asyncio.gather(*tasks)

before = resident()
if sys.argv[1] == "threads":
    wait_in_threads(1000)
else:
    asyncio.run(wait_in_tasks(1000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads a figure of Linux")
def test_a_waiting_thread_takes_more_memory_than_a_waiting_task():
    grown = {
        kind: int(subprocess.check_output([sys.executable, "-c", MEMORY, kind], timeout=LIMIT))
        for kind in ("threads", "tasks")
    }
    assert grown["threads"] > 2 * grown["tasks"]
