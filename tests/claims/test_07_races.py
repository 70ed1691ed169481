"""Lesson 07: what it says of single operations."""

import subprocess
import sys
import threading

import pytest

WITH_THE_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

COUNT = """
import threading

class Shared:
    count = 0

def one_more(number):
    return number + 1

def plain(shared):
    for _ in range(300_000):
        shared.count += 1

def called(shared):
    for _ in range(1_000_000):
        shared.count = one_more(shared.count)

for function in plain, called:
    threads = [threading.Thread(target=function, args=(Shared,)) for _ in range(4)]
    Shared.count = 0
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(Shared.count)
"""


@pytest.mark.skipif(not WITH_THE_GIL, reason="without the GIL, += loses updates again")
def test_plus_equals_happens_to_lose_nothing_and_a_call_in_between_does():
    told = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, timeout=50, check=True)
    plain, called = map(int, told.stdout.split())
    assert plain == 1_200_000
    assert called < 4_000_000


def test_a_dict_that_changes_during_a_loop_raises_and_a_list_does_not():
    fruits = {"apples": 3, "pears": 5}
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        fruits.update((fruit + " and more", 1) for fruit in fruits)
    numbers = [1, 2, 3]
    seen = []
    for number in numbers:
        seen.append(number)
        if len(numbers) < 6:
            numbers.insert(0, 0)
    assert seen.count(1) > 1, "a list repeats an item and says nothing"


def test_setdefault_and_pop_with_a_default_are_one_operation():
    """Of many threads that ask at once, one wins; nobody gets an error."""
    cache: dict[str, int] = {}
    won = []
    barrier = threading.Barrier(8)

    def ask(number: int) -> None:
        barrier.wait(30)
        for key in map(str, range(2000)):
            if cache.setdefault(key, number) == number:
                won.append(key)
            cache.pop("missing", None)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == sorted(map(str, range(2000)))


def test_a_plain_lock_waits_for_its_own_thread_and_an_rlock_does_not():
    lock, reentrant = threading.Lock(), threading.RLock()
    with lock:
        assert not lock.acquire(timeout=0.05)
    with reentrant, reentrant:
        assert reentrant.acquire(timeout=0.05)
        reentrant.release()
