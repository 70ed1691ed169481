"""What a trace says of named locks: who holds, who waits, what was held, and who closed a circle."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import pytest

from helpers.observe.lane import HEADER, Cell
from helpers.observe.lock_states import who_waits
from helpers.observe.locks import named
from helpers.observe.named_locks import NamedLock
from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.observe.waits import Hold, Wait, Waits
from tests.observe import lock_doings as doings
from tests.observe.starting import LIMIT, METHODS, until

DEADLOCK = "Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y and waits for lock_x."
posix = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL, which Windows does not have")
each_method = pytest.mark.parametrize("method", METHODS)


@contextmanager
def running(*works: tuple[str, Callable[..., object], tuple[object, ...]]) -> Iterator[None]:
    """Threads that do these works; in the end, all that they still wait for is released."""
    threads = [threading.Thread(target=work, args=args, name=name, daemon=True) for name, work, args in works]
    for thread in threads:
        thread.start()
    yield
    locks = {arg for _, _, args in works for arg in args if isinstance(arg, NamedLock)}
    deadline = time.monotonic() + LIMIT
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < deadline
        for lock in locks:
            if lock.locked():
                lock._inner.release()
        time.sleep(0.005)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread whose lock was released for it fails at its own release: that is how a deadlock here ends."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


def lane(trace: Trace, title: str) -> Lane:
    return next(lane for lane in trace.lanes() if lane.title == title)


def circle_notes(trace: Trace) -> list[tuple[str, str]]:
    """Who said that there is a deadlock, and in which words."""
    return [(lane.title, note.text) for lane in trace.lanes() for note in lane.notes if "eadlock" in note.text]


def pair(trace: Trace, make: Callable[[], object] = threading.Lock) -> tuple[object, object]:
    return named("lock_x", make(), trace), named("lock_y", make(), trace)


@contextmanager
def held(lock, name: str = "holder") -> Iterator[None]:
    """A thread of this name holds the lock."""
    taken, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=doings.hold, args=(lock, taken, end), name=name)
    thread.start()
    assert taken.wait(LIMIT)
    yield
    end.set()
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_without_named_locks_nobody_waits():
    with Trace() as trace:
        trace.note("hello")
        assert who_waits(trace) == Waits()
    assert who_waits(trace) == Waits()


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, multiprocessing.Lock, multiprocessing.RLock])
def test_who_holds_and_who_waits(make: Callable[[], object]):
    with Trace() as trace:
        lock = named("lock_x", make(), trace)
        with held(lock, "f1"):
            assert who_waits(trace) == Waits(holds=(Hold("f1", "lock_x"),))
            thread = threading.Thread(target=doings.take, args=(lock,), name="f2")
            thread.start()
            until(lambda: who_waits(trace).waits, "the wait")
            assert who_waits(trace) == Waits((Hold("f1", "lock_x"),), (Wait("f2", "lock_x"),))
            assert who_waits(trace).words == "f2 waits for lock_x, which f1 holds."
            until(lambda: lane(trace, "f2").spans, "its span")
            time.sleep(doings.PAUSE)
            assert [span.end for span in lane(trace, "f2").spans if span.name == "waiting for lock_x"] == [None]
        thread.join(LIMIT)
        assert who_waits(trace) == Waits()
        (span,) = lane(trace, "f2").spans
        assert (span.name, span.cpu) == ("waiting for lock_x", 0)
        assert span.end is not None
        assert span.end - span.start >= doings.PAUSE * 1e9
        assert circle_notes(trace) == []


def test_a_reentrant_lock_is_held_until_the_outermost_release():
    with Trace() as trace:
        lock = named("a", threading.RLock(), trace)
        with lock:
            with lock:
                assert who_waits(trace).holds == (Hold("main thread", "a"),)
            assert who_waits(trace).holds == (Hold("main thread", "a"),)
        assert who_waits(trace).holds == ()


def test_holds_are_kept_if_they_are_long():
    with Trace() as trace:
        x, y = pair(trace)
        for _ in range(1000):
            with y:
                pass
        with x:
            time.sleep(doings.PAUSE)
            (hold,) = lane(trace, "main thread").holding
            assert (hold.lock, hold.end) == ("lock_x", None)
        now = time.perf_counter_ns()
        mine = lane(trace, "main thread")
        assert mine.holding == []
        (kept,) = (each for each in mine.held if each.lock == "lock_x")
        assert abs(kept.start - hold.start) <= 2
        assert kept.end is not None
        assert kept.start + doings.PAUSE * 1e9 <= kept.end <= now
        assert len(mine.held) <= 20, "a short hold is not kept"
        assert mine.dropped == 0


def test_a_lock_released_by_another_thread():
    with Trace() as trace:
        lock = named("a", threading.Lock(), trace)
        thread = threading.Thread(target=lock.acquire, name="f1")
        thread.start()
        thread.join()
        time.sleep(doings.PAUSE)
        assert who_waits(trace) == Waits(holds=(Hold("f1", "a"),), ended=frozenset({"f1"}))
        lock.release()
        assert who_waits(trace) == Waits()
        trace.note("here")
        assert [each.lock for each in lane(trace, "f1").held] == ["a"]
        assert lane(trace, "main thread").held == []


def test_a_thread_that_ended_with_a_lock():
    with Trace() as trace:
        lock = named("a", threading.Lock(), trace)
        thread = threading.Thread(target=lock.acquire, name="f1")
        thread.start()
        thread.join()
        waiting = threading.Thread(target=doings.take, args=(lock,), name="f2")
        waiting.start()
        until(lambda: who_waits(trace).waits, "the wait")
        assert who_waits(trace).words == "f2 waits for a; f1 held it and ended: nobody will release it."
        lock.release()
        waiting.join(LIMIT)


@each_method
@posix
def test_a_process_killed_with_a_lock(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        lock = named("lock_x", context.Lock(), trace)
        process = context.Process(target=doings.die_holding, args=(lock,), name="worker")
        process.start()
        until(lambda: who_waits(trace).holds or not process.is_alive(), "the hold")
        process.join(LIMIT)
        thread = threading.Thread(target=lock.acquire, name="f2")
        thread.start()
        until(lambda: who_waits(trace).waits, "the wait")
        said = who_waits(trace)
        assert said.words == "f2 waits for lock_x; worker held it and ended: nobody will release it."
        assert not said.is_deadlock
        trace.close()
        assert who_waits(trace) == said, "a closed trace says how it was"
        lock._inner.release()
        thread.join(LIMIT)


def named_soon(delay: Callable[[], int], fewest: int, best: float) -> None:
    """Measures delays, in nanoseconds, until so many in a row are short; on a busy machine a few may not be."""
    delays: list[int] = []
    until_when = time.monotonic() + LIMIT
    while len(delays) < fewest or min(delays) > best or median(delays) > 250e6 or max(delays) > 500e6:
        assert time.monotonic() < until_when, delays
        delays = [*delays[1 - fewest :], delay()]


@pytest.mark.usefixtures("quiet")
def test_a_deadlock_of_threads_is_named_once_by_who_closed_it():
    def delay() -> int:
        with Trace() as trace:
            x, y = pair(trace)
            ready = threading.Barrier(2)
            with running(("f1", doings.opposite, (x, y, ready)), ("f2", doings.opposite, (y, x, ready))):
                until(lambda: circle_notes(trace), "the note")
                time.sleep(doings.PAUSE)
                ((who, words),) = circle_notes(trace)
                assert words == DEADLOCK
                assert who_waits(trace).words == DEADLOCK
                closed = max(lane.waiting.since for lane in trace.lanes() if lane.waiting)
                assert lane(trace, who).waiting.since == closed
                return lane(trace, who).notes[0].at - closed

    named_soon(delay, 7, 10e6)


@each_method
def test_a_deadlock_of_processes_is_named_once_by_who_closed_it(method: str):
    context = multiprocessing.get_context(method)

    def delay() -> int:
        with Trace() as trace:
            x, y = pair(trace, context.Lock)
            ready = context.Barrier(2)
            processes = [
                context.Process(target=doings.opposite, args=(*locks, ready), name=name)
                for name, locks in (("f1", (x, y)), ("f2", (y, x)))
            ]
            for process in processes:
                process.start()
            until(lambda: circle_notes(trace), "the note")
            time.sleep(doings.PAUSE)
            ((who, words),) = circle_notes(trace)
            assert words == who_waits(trace).words == DEADLOCK
            closed = max(lane.waiting.since for lane in trace.lanes() if lane.waiting)
            for process in processes:
                process.kill()
                process.join(LIMIT)
                process.close()
            return lane(trace, who).notes[0].at - closed

    named_soon(delay, 3, 15e6)


@each_method
def test_a_deadlock_within_another_process(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        process = context.Process(target=doings.deadlock_of_threads, args=(trace,), name="child", daemon=True)
        process.start()
        until(lambda: who_waits(trace).is_deadlock, "the deadlock")
        titles = {lane.title.rpartition(" / ")[2] for lane in trace.lanes() if lane.waiting}
        assert titles == {"f1", "f2"}
        process.kill()
        process.join(LIMIT)
        # It is as it was, and its workers are gone.
        assert who_waits(trace).ended == {lane.title for lane in trace.lanes() if lane.waiting}


@pytest.mark.usefixtures("quiet")
def test_a_circle_of_three():
    with Trace() as trace:
        locks = [named(f"lock_{letter}", threading.Lock(), trace) for letter in "xyz"]
        ready = threading.Barrier(3)
        works = [(f"f{n}", doings.opposite, (locks[n - 1], locks[n % 3], ready)) for n in (1, 2, 3)]
        with running(*works):
            until(lambda: circle_notes(trace), "the note")
            time.sleep(doings.PAUSE)
            assert len(circle_notes(trace)) == 1
            assert who_waits(trace).circle == ("f1", "f2", "f3")


def test_a_lock_taken_twice_by_one_thread():
    with Trace() as trace:
        lock = named("a", threading.Lock(), trace)
        thread = threading.Thread(target=lambda: (lock.acquire(), lock.acquire()), name="f1")
        thread.start()
        until(lambda: circle_notes(trace), "the note")
        assert circle_notes(trace) == [("f1", "Deadlock: f1 holds a and waits for a.")]
        lock.release()
        thread.join(LIMIT)
        lock.release()


@pytest.mark.usefixtures("quiet")
def test_a_circle_with_a_time_out_opens_by_itself_and_is_no_deadlock():
    with Trace() as trace:
        x, y = pair(trace)
        ready = threading.Barrier(2)
        threads = [
            threading.Thread(target=doings.hold_and_wait, args=(x, y, ready, 3.0), name="f1"),
            threading.Thread(target=doings.opposite, args=(y, x, ready), name="f2"),
        ]
        for thread in threads:
            thread.start()
        until(lambda: who_waits(trace).circle, "the circle")
        said = who_waits(trace)
        assert said.waits == (Wait("f1", "lock_y", gives_up=True), Wait("f2", "lock_x"))
        assert not said.is_deadlock
        for thread in threads:
            thread.join(LIMIT)
        assert who_waits(trace) == Waits()
        assert circle_notes(trace) == []


def test_many_short_waits_in_order_are_no_circle():
    """Four threads that take three locks in one order, as often as they can."""

    def work() -> None:
        while not seen.is_set():
            with locks[0], locks[1], locks[2]:
                time.sleep(0.0005)
            with locks[1], locks[2]:
                pass

    with Trace() as trace:
        locks = [named(name, threading.Lock(), trace) for name in "abc"]
        seen, began, looks = threading.Event(), time.monotonic(), 0
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            while (looks < 10 or time.monotonic() < began + 1) and time.monotonic() < began + LIMIT:
                said = who_waits(trace)
                assert not said.circle
                assert len({hold.lock for hold in said.holds}) == len(said.holds), "one lock, two holders"
                looks += bool(said.waits)
        finally:
            seen.set()
            for thread in threads:
                thread.join(LIMIT)
        assert looks >= 10, "nobody was seen waiting"
        assert circle_notes(trace) == []
        assert all(lane.waiting is None for lane in trace.lanes())


@each_method
def test_many_short_waits_of_processes_are_no_circle(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        lock, value = named("a", context.Lock(), trace), context.Value("q", 0, lock=False)
        processes = [context.Process(target=doings.add, args=(lock, value, 5000)) for _ in range(2)]
        for process in processes:
            process.start()
        while any(process.is_alive() for process in processes):
            said = who_waits(trace)
            assert not said.circle
            assert len(said.holds) <= 1
        for process in processes:
            process.join(LIMIT)
        assert value.value == 10_000
        assert circle_notes(trace) == []


@pytest.mark.parametrize("make", [threading.Semaphore, multiprocessing.Semaphore])
def test_a_semaphores_permits(make: Callable[[int], object]):
    with Trace() as trace:
        semaphore = named("seats", make(2), trace)
        with held(semaphore, "f1"):
            assert who_waits(trace) == Waits(holds=(Hold("f1", "seats"),), open=frozenset({"seats"}))
            with held(semaphore, "f2"):
                thread = threading.Thread(target=doings.take, args=(semaphore,), name="f3")
                thread.start()
                until(lambda: who_waits(trace).waits, "the wait")
                assert who_waits(trace).words == "f3 waits for seats, which f1 and f2 hold."
                assert who_waits(trace).open == frozenset()
                time.sleep(doings.PAUSE)
                assert [hold.lock for hold in lane(trace, "f1").holding] == ["seats"]
            thread.join(LIMIT)
        assert who_waits(trace) == Waits()
        assert [hold.lock for hold in lane(trace, "f1").held] == ["seats"]


def test_a_deadlock_over_a_semaphore():
    with Trace() as trace:
        semaphore, lock = named("seats", threading.Semaphore(1), trace), named("a", threading.Lock(), trace)
        ready = threading.Barrier(2)
        one = threading.Thread(target=doings.opposite, args=(semaphore, lock, ready), name="f1")
        two = threading.Thread(target=doings.hold_and_wait, args=(lock, semaphore, ready, LIMIT), name="f2")
        one.start()
        two.start()
        until(lambda: who_waits(trace).circle, "the circle")
        assert who_waits(trace).circle == ("f1", "f2")
        semaphore._signal()  # a permit from nowhere
        two.join(LIMIT)
        one.join(LIMIT)
        assert circle_notes(trace) == []


def test_a_semaphore_used_as_a_signal_has_no_holders():
    with Trace() as trace:
        signal = named("signal", threading.Semaphore(0), trace)
        lock = named("a", threading.Lock(), trace)
        for _ in range(3):
            signal.release()
            taker = threading.Thread(target=signal.acquire, name="taker")
            taker.start()
            taker.join(LIMIT)
        with lock:
            waiter = threading.Thread(target=signal.acquire, name="f1")
            waiter.start()
            until(lambda: who_waits(trace).waits, "the wait")
            said = who_waits(trace)
            assert said.holds == (Hold("main thread", "a"),)
            assert said.open == {"signal"}
            assert said.words == "f1 waits for signal."
            signal.release()
            waiter.join(LIMIT)


def test_more_permits_than_a_lane_can_show():
    many = (HEADER - Cell.PERMITS) // 2 + 3
    with Trace() as trace:
        semaphore, other = named("a", threading.Semaphore(100), trace), named("b", threading.Semaphore(100), trace)
        for _ in range(2):
            for lock in (other, semaphore) * many:
                lock.acquire()
            for lock in (semaphore, other) * many:
                lock.release()
        assert who_waits(trace).holds == ()
        assert semaphore._inner._value == other._inner._value == 100
        assert lane(trace, "main thread").permits == []


def test_permits_given_back_in_another_order():
    with Trace() as trace:
        semaphores = [named(name, threading.Semaphore(2), trace) for name in "abc"]
        for first, second in ((0, 1), (1, 2), (2, 0)):
            semaphores[first].acquire()
            semaphores[second].acquire()
            semaphores[first].release()
            assert who_waits(trace).holds == (Hold("main thread", "abc"[second]),)
            semaphores[second].release()
            assert who_waits(trace) == Waits()
        assert not any(semaphore._cells[2] for semaphore in semaphores)


def test_two_that_share_a_name_are_told_apart():
    with Trace() as trace:
        locks = [named("a", threading.Lock(), trace) for _ in range(2)]
        with held(locks[0], "f"), held(locks[1], "f"):
            said = who_waits(trace)
            assert sorted(hold.lock for hold in said.holds) == ["a", "a (2)"]
            assert len({hold.worker for hold in said.holds}) == 2
            assert all(hold.worker.startswith("f (") for hold in said.holds)
        with held(locks[1], "f"):
            assert who_waits(trace).holds == (Hold("f", "a"),)


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_a_lock_that_was_held_when_its_process_was_forked():
    with Trace() as trace:
        lock = named("a", threading.Lock(), trace)
        with held(lock, "f1"):
            process = multiprocessing.get_context("fork").Process(target=doings.take, args=(lock,), name="child")
            process.start()
            until(lambda: who_waits(trace).waits, "the wait")
            words = who_waits(trace).words
            process.kill()
            process.join(LIMIT)
    assert words.startswith("child waits for a (2); f1 (process ")
    assert words.endswith(" held it and ended: nobody will release it.")


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_a_forked_child_still_holds_what_it_held():
    with Trace() as trace:
        lock = named("a", threading.RLock(), trace)
        with lock:
            child = os.fork()
            if child == 0:
                mine = [hold.worker for hold in who_waits(trace).holds]
                lock.release()
                os._exit(len(mine) * 10 + len(who_waits(trace).holds))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 21
            assert who_waits(trace).holds == (Hold("main thread", "a"),)
