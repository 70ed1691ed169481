"""What nobody should run but in a sandbox. It is imported there, so it imports little."""

import _thread
import ctypes
import multiprocessing
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from helpers.observe.trace import Trace
from tests.observe.deadlock import take


def two_locks_of_processes(start):
    context = multiprocessing.get_context(start)
    locks, both = (context.Lock(), context.Lock()), context.Barrier(2)
    for pair in (locks, locks[::-1]):
        context.Process(target=take, args=(*pair, both)).start()
    wait_for_ever()


def add(*numbers):
    return sum(numbers)


def say(words):
    sys.stdout.write(f"{words}\n")
    sys.stderr.write("by the error stream\n")
    os.write(1, b"by the descriptor\n")
    subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
    sys.stdout.write("no end of line")


def say_and_hang(words):
    sys.stdout.write(words)
    wait_for_ever()


def say_much(lines):
    for number in range(lines):
        sys.stdout.write(f"{number:09}\n")


def fail(words):
    raise ValueError(words)


class PickyError(Exception):
    """Cannot be pickled, and has no words."""

    def __init__(self, one, two):
        super().__init__(one, two)
        self.lock = threading.Lock()

    def __str__(self):
        raise RuntimeError("no words")


def fail_picky():
    raise PickyError(1, 2)


def recurse():
    return recurse() + 1


def give_lock():
    return threading.Lock()


class Bomb:
    """Can be pickled, but not back."""

    def __reduce__(self):
        return int, ("seven",)


def give_bomb():
    return Bomb()


def give_much(count):
    return bytes(count)


def crash():
    ctypes.string_at(0)


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def stop_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


def leave(code):
    os._exit(code)


def exit_with_thread():
    threading.Thread(target=time.sleep, args=(600,), name="rest").start()
    sys.exit(3)


def leave_with_child():
    if os.fork() == 0:
        time.sleep(600)
    os._exit(3)


def close_everything():
    os.closerange(3, 1000)
    time.sleep(600)


def keep_the_lock():
    """One call into C that lets no other thread run."""
    threading.Thread(target=wait_for_ever, name="other").start()
    re.match(r"(a+)+$", "a" * 60 + "b")


def wait_for_ever():
    threading.Event().wait()


def wait_in_the_library():
    threading.Thread(target=queue.Queue().get, name="getter").start()
    threading.Thread(target=time.sleep, args=(600,), name="sleeper").start()
    _thread.start_new_thread(wait_for_ever, ())
    wait_for_ever()


def leave_threads():
    threading.Thread(target=time.sleep, args=(0.02,), name="just ending").start()
    threading.Thread(target=wait_for_ever, name="daemon", daemon=True).start()
    threading.Thread(target=wait_for_ever, name="left").start()
    return "value"


def fail_in_thread():
    thread = threading.Thread(target=fail, args=("words",), name="f1")
    thread.start()
    thread.join()
    ending = threading.Thread(target=sys.exit)
    ending.start()
    ending.join()


def count_threads():
    return threading.active_count(), multiprocessing.current_process().name


def start_children(path, start):
    """Start processes in every way, write their numbers, and wait."""
    context = multiprocessing.get_context(start)
    children = [context.Process(target=time.sleep, args=(600,)) for _ in range(2)]
    for child in children:
        child.start()
    numbers = [child.pid for child in children]
    numbers.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid)
    if hasattr(os, "fork"):
        numbers.append(os.fork())
        if numbers[-1] == 0:
            time.sleep(600)
    Path(path).write_text(f"{os.getpid()} {' '.join(map(str, numbers))}", encoding="ascii")
    return wait_for_ever()


def litter(start):
    """Make what a program takes away at its end, and have no end."""
    context = multiprocessing.get_context(start)
    trace, lock, line = Trace(), context.Lock(), context.Queue()
    trace.note("hello")
    Path(tempfile.mkdtemp(), "file").touch()
    # Under fork they have no names any more.
    names = [made._semlock.name or "none" for made in (lock, line._rlock, line._wlock, line._sem)]
    sys.stdout.write(" ".join([tempfile.gettempdir(), *names]))
    wait_for_ever()


def put_many(into, count):
    for number in range(count):
        into.put(number)
    return count
