"""What the article says of processes."""

from typing import Final

from helpers.panels.claims.claim import DOCS, PEPS, Claim, Document
from helpers.panels.evidence import beyond, locks, processes

_MULTIPROCESSING: Final = f"{DOCS}library/multiprocessing.html"

PROCESSES: Final = (
    Claim(
        "another interpreter",
        "Example 2",
        "The worker runs in a Python interpreter of its own.",
        "right",
        "Where it gets that from differs: fork clones yours, memory and all; spawn starts a fresh one; forkserver "
        "clones a fresh one.",
        "spawn on Windows, and on macOS from 3.8 on; elsewhere fork, and forkserver from 3.14 on",
        (
            processes.a_process_is_another_python,
            processes.processes_start_as_documented,
            Document(f"{_MULTIPROCESSING}#contexts-and-start-methods", "the three methods, and which is the default"),
        ),
        5,
    ),
    Claim(
        "as many cores as processes",
        "Example 2",
        "The program uses as many cores as it has processes.",
        "partly",
        "As many as there are, and as it may use: a container or a scheduler may allow it fewer than the machine "
        "has.",
        "os.process_cpu_count from 3.13 on, and from then on pools count so by default",
        (
            Document(f"{DOCS}library/os.html#os.process_cpu_count", "how many cores this process may use"),
            Document(
                "https://github.com/python/cpython/issues/149452", "it does not know of the quota of a container"
            ),
        ),
        3,
    ),
    Claim(
        "much faster",
        "Example 2",
        "Spread over processes, a program can gain a lot of speed.",
        "partly",
        "If there is much more to compute than to start and to send. A process takes longer to start than a thread, "
        "and all that goes in or comes out is packed and copied.",
        "any",
        (processes.a_process_takes_longer_to_start, processes.arguments_are_copies),
        11,
    ),
    Claim(
        "no deadlocks",
        "The text",
        "Processes share nothing, so they do not get into each other's way, and there are no deadlocks.",
        "wrong",
        "Two processes with two locks hang as two threads do. So does one that is joined before what it put into "
        "a queue is taken out, and a clone whose parent was forked while another thread held a lock. And files, "
        "databases, cores and memory are shared as ever.",
        "any",
        (
            locks.two_processes_lock_each_other_out,
            locks.a_terminated_process_keeps_its_lock,
            beyond.a_full_queue_keeps_its_process,
            Document(f"{_MULTIPROCESSING}#programming-guidelines", "join before get may be a deadlock"),
        ),
        9,
    ),
    Claim(
        "processes can be ended",
        "The text",
        "Threads cannot be ended by force: so take processes. (It is implied that those can.)",
        "partly",
        "They can, at a price: no finally runs, locks stay locked, queues may be damaged, processes that it started "
        "live on. Ask first.",
        "kill since 3.7; interrupt from 3.14 on; the workers of an executor from 3.14 on",
        (
            locks.a_terminated_process_keeps_its_lock,
            Document(f"{_MULTIPROCESSING}#multiprocessing.Process.terminate", "what is not done, and what may break"),
            Document(
                f"{DOCS}library/concurrent.futures.html#concurrent.futures.ProcessPoolExecutor.terminate_workers",
                "ends all workers of an executor at once",
            ),
        ),
        4,
    ),
    Claim(
        "no side effects",
        "Example 4",
        "Functions that are given values have no side effects, as in functional programming.",
        "partly",
        "A good way to write them. But these two print, which is a side effect, and return nothing: afterwards there "
        "are three versions of x and y, and the two new ones are lost.",
        "any",
        (processes.what_a_process_returns_is_lost, processes.arguments_are_copies),
        8,
    ),
    Claim(
        "copies",
        "Example 4",
        "x and y in the workers are copies of those in the main program.",
        "right",
        "Under fork all of the memory is copied, a page at a time, when it is written to. Else the arguments are "
        "packed, sent and unpacked.",
        "any",
        (
            processes.arguments_are_copies,
            Document(f"{_MULTIPROCESSING}#the-spawn-and-forkserver-start-methods", "arguments must be picklable"),
        ),
        8,
    ),
    Claim(
        "why lock a copy",
        "Example 4",
        "A copy needs no lock.",
        "right",
        "As long as it is one. A Value or a shared block of memory is none, and += on it reads, adds and writes.",
        "any",
        (
            processes.a_value_needs_its_lock,
            Document(f"{_MULTIPROCESSING}#multiprocessing.Value", "+= is not atomic: use get_lock()"),
        ),
        9,
    ),
    Claim(
        "the same semantics",
        "The text",
        "The locks and semaphores of multiprocessing behave as those of threading.",
        "partly",
        "Nearly. An argument has another name, errors are of other kinds, limits below zero mean something else, and "
        "a lock stays locked for all others when its process is killed.",
        "any",
        (
            processes.locks_differ_in_small_things,
            locks.a_terminated_process_keeps_its_lock,
            Document(f"{_MULTIPROCESSING}#multiprocessing.Lock", "where the behaviour differs"),
        ),
        9,
    ),
    Claim(
        "one owner",
        "The text",
        "Let one process own the resource, and send it what it needs: then access is one after the other.",
        "right",
        "The best advice in the article. Add a bound to the queue, an answer for each request, and an orderly end; "
        "and take out before you join.",
        "any",
        (
            beyond.a_full_queue_keeps_its_process,
            Document(f"{_MULTIPROCESSING}#exchanging-objects-between-processes", "queues are process safe"),
        ),
        10,
    ),
    Claim(
        "Queue and Pipe",
        "The text",
        "Queue and Pipe are classes.",
        "partly",
        "What you call is a function each time. Queue() makes an object of a class of that name; Pipe() gives you "
        "a pair, the two ends. And two writers on one end may damage what is sent.",
        "any",
        (
            processes.pipe_and_queue_are_no_classes,
            Document(f"{_MULTIPROCESSING}#multiprocessing.Pipe", "returns a pair of connections"),
        ),
        10,
    ),
    Claim(
        "all the benefits",
        "The text",
        "With a little care multiprocessing has all that threads have, and the cores on top.",
        "wrong",
        "Not the shared objects, nor the quick start, nor the small memory. What cannot be packed cannot be sent. "
        "And there are systems without it.",
        "not on Android, iOS and WebAssembly",
        (
            processes.a_process_takes_longer_to_start,
            beyond.not_everything_can_be_sent,
            Document(_MULTIPROCESSING, "not available on mobile platforms and WebAssembly"),
        ),
        8,
    ),
    Claim(
        "where to get it",
        "The note",
        "multiprocessing comes with Python 2.6 or later; for older ones there is the package processing.",
        "out of date",
        "It comes with every Python of today. For most work begin one floor higher, with concurrent.futures.",
        "concurrent.futures since 3.2",
        (
            beyond.a_future_brings_the_result,
            Document(f"{PEPS}pep-0371/", "multiprocessing comes into Python 2.6 and 3.0"),
            Document(f"{DOCS}library/concurrent.futures.html", "pools of threads, processes and interpreters"),
        ),
        11,
    ),
)
