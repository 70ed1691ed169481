"""What the article does not speak of, and a programmer of today needs."""

from typing import Final

from helpers.panels.claims.claim import DOCS, PEPS, Claim, Document
from helpers.panels.evidence import beyond, locks, processes, threads

_FUTURES: Final = f"{DOCS}library/concurrent.futures.html"
_NOWHERE: Final = "Not a word"

MISSING: Final = (
    Claim(
        "start methods",
        _NOWHERE,
        "How a process is started, and what it then has of yours.",
        "missing",
        "fork, spawn and forkserver differ in speed, in what is copied and in what may be sent. Write what works "
        "with all three.",
        "a choice since 3.4; the default on Linux changed in 3.14",
        (
            processes.processes_start_as_documented,
            Document(f"{DOCS}library/multiprocessing.html#contexts-and-start-methods", "the three start methods"),
        ),
        5,
    ),
    Claim(
        "a race, shown",
        "Named, never shown",
        "What goes wrong without locks: an update that is lost.",
        "missing",
        "Read, compute, write: who comes in between is overwritten. It can be shown in every Python, and a fix can "
        "be proved.",
        "any",
        (locks.two_steps_on_a_dict_lose_one,),
        7,
    ),
    Claim(
        "the cure for a deadlock",
        "Only for processes",
        "How threads that share locks are kept from a deadlock.",
        "missing",
        "Take locks in one order, everywhere; or wait with a limit and start again; or have one lock.",
        "any",
        (locks.one_order_never_does,),
        6,
    ),
    Claim(
        "pools",
        _NOWHERE,
        "Many tasks for few workers.",
        "missing",
        "A pool starts its workers once and hands them task after task.",
        "multiprocessing.Pool since 2.6; executors since 3.2",
        (beyond.a_future_brings_the_result, Document(_FUTURES, "executors of threads and of processes")),
        11,
    ),
    Claim(
        "futures",
        _NOWHERE,
        "How a result comes back.",
        "missing",
        "submit gives a future at once; its result() waits for what the function returns.",
        "Pool.map and apply_async since 2.6; futures since 3.2",
        (beyond.a_future_brings_the_result, processes.what_a_process_returns_is_lost),
        11,
    ),
    Claim(
        "progress",
        "A comment in example 1",
        "How to show how far it is.",
        "missing",
        "Futures tell when each is done. Workers that count in shared memory tell more, and cost less.",
        "as_completed since 3.2",
        (beyond.a_future_says_when_it_is_done,),
        11,
    ),
    Claim(
        "errors",
        _NOWHERE,
        "What becomes of an exception in a worker.",
        "missing",
        "In a bare thread or process it is printed; a process has exit code 1. A future raises it again where you "
        "ask.",
        "threading.excepthook since 3.8",
        (
            threads.an_error_stays_in_its_thread,
            beyond.a_future_brings_the_error,
            Document(f"{DOCS}library/threading.html#threading.excepthook", "is called with what a thread raised"),
        ),
        12,
    ),
    Claim(
        "cancellation",
        "Only that threads cannot be ended",
        "How to call off what is no longer wanted.",
        "missing",
        "cancel() takes back a task that waits. One that runs has to look at an event; by force only a process ends.",
        "since 3.2",
        (
            beyond.what_runs_cannot_be_cancelled,
            Document(f"{_FUTURES}#concurrent.futures.Future.cancel", "a call that runs cannot be cancelled"),
        ),
        4,
    ),
    Claim(
        "shared memory",
        _NOWHERE,
        "Large data without copies.",
        "missing",
        "A block of shared memory is seen by several processes at once; NumPy arrays can live in it.",
        "since 3.8",
        (
            beyond.memory_can_be_shared,
            Document(f"{DOCS}library/multiprocessing.shared_memory.html", "blocks that any process can open by name"),
        ),
        13,
    ),
    Claim(
        "async and await",
        _NOWHERE,
        "A thousand waits in one thread.",
        "missing",
        "async def and await, an event loop, task groups. It is how servers and notebooks wait today.",
        "since 3.5; task groups since 3.11",
        (
            beyond.many_waits_need_one_thread,
            Document(f"{DOCS}library/asyncio.html", "concurrent code with async/await"),
        ),
        14,
    ),
    Claim(
        "several interpreters",
        _NOWHERE,
        "More than one Python in one process, each with a GIL of its own.",
        "missing",
        "Between threads and processes: they use several cores, and share next to no objects.",
        "a GIL for each since 3.12; concurrent.interpreters and InterpreterPoolExecutor from 3.14 on",
        (
            Document(f"{PEPS}pep-0684/", "a GIL for each interpreter"),
            Document(f"{PEPS}pep-0734/", "interpreters in the standard library"),
        ),
        15,
    ),
    Claim(
        "free threading",
        _NOWHERE,
        "Python without a GIL.",
        "missing",
        "Threads that compute on all cores, and races that a GIL made rare.",
        "an experiment in 3.13, supported from 3.14 on, and still a choice",
        (
            Document(f"{PEPS}pep-0703/", "how the GIL becomes optional"),
            Document(f"{PEPS}pep-0779/", "when it counts as supported"),
        ),
        3,
    ),
)
