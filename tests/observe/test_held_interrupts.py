"""An interrupt that comes during a fork: the starter gets it, and knows its child; the child ends."""

import multiprocessing
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="nothing is forked here"),
    pytest.mark.timeout(60),
]

PROGRAM = """
import multiprocessing, os, signal, sys, threading, time

def interrupt():
    if multiprocessing.parent_process() is None:
        os.kill(os.getpid(), signal.SIGINT)

os.register_at_fork({when})
from helpers.observe import held_interrupts, lifeline

held_interrupts.AGAIN_AFTER = 1.0  # a busy machine may take long to fork, and to tell the starter what it has started
process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
handler = signal.getsignal(signal.SIGINT)
{setting}
try:
    {start}
    time.sleep(4)
    said = "no interrupt"
except KeyboardInterrupt:
    said = "interrupt"
process.join({patience})
known = multiprocessing.active_children() == [process]
print(said, process.exitcode, known, signal.getsignal(signal.SIGINT) is handler)
process.kill()
process.join()
"""


def said(
    when: str, *, start: str = "process.start()", setting: str = "", leads: bool = True, patience: int = 1
) -> str:
    """What the program prints: whether it was interrupted, its child's exit code, whether it knows the child, and
    whether its handler is the one it had. The child has `patience` seconds to end."""
    hook = f"{when}=interrupt" if when else "before=time.monotonic"
    program = PROGRAM.format(when=hook, start=start, setting=setting, patience=patience)
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True, start_new_session=leads)
    assert "Exception ignored" not in run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(("when", "exitcode"), [("before", -2), ("after_in_parent", 1)])
def test_the_starter_gets_it_and_the_child_ends_too(when: str, exitcode: int) -> None:
    """A child that has begun its own work ends by the KeyboardInterrupt, as without us."""
    assert said(when, patience=20) == f"interrupt {exitcode} False True"


def test_where_the_starter_does_not_lead_its_group_it_alone_gets_it() -> None:
    assert said("after_in_parent", leads=False) == "interrupt None True True"


def test_the_child_ends_before_its_first_line() -> None:
    assert (
        said("after_in_child", setting="multiprocessing.parent_process = lambda: None", patience=20)
        == "no interrupt -2 False True"
    )


def test_without_an_interrupt_nothing_is_changed() -> None:
    assert said("") == "no interrupt None True True"


def test_a_handler_of_ones_own_is_called_and_stays() -> None:
    setting = """
def handler(*_):
    if multiprocessing.parent_process() is None:
        print("mine", end=" ")
signal.signal(signal.SIGINT, handler)
"""
    assert said("after_in_parent", setting=setting) == "mine no interrupt None True True"


def test_one_that_is_ignored_stays_ignored() -> None:
    setting = "handler = signal.SIG_IGN; signal.signal(signal.SIGINT, handler)"
    assert said("after_in_parent", setting=setting) == "no interrupt None True True"


def test_a_fork_of_another_thread_leaves_the_handlers_alone() -> None:
    start = "thread = threading.Thread(target=process.start); thread.start(); thread.join()"
    assert said("", start=start) == "no interrupt None True True"
