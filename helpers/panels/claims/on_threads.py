"""What the article says of threads, of locks, and of what must be protected."""

from typing import Final

from helpers.panels.claims.claim import DOCS, PEPS, Claim, Document
from helpers.panels.evidence import beyond, locks, threads

THREADS: Final = (
    Claim(
        "the usual way",
        "The text",
        "The usual answer to a frozen window is to give the long task to a second thread.",
        "out of date",
        "It is one of three. Many waits go together in one thread with async and await. A call that blocks goes to a "
        "thread. Computing goes to a process.",
        "asyncio since 3.4, async and await since 3.5, asyncio.to_thread since 3.9",
        (
            beyond.many_waits_need_one_thread,
            Document(f"{DOCS}library/asyncio-task.html#running-in-threads", "to_thread is for calls that block"),
        ),
        14,
    ),
    Claim(
        "join keeps it alive",
        "Example 1",
        "A loop that joins the thread for 0.3 s at a time lets the program look alive.",
        "partly",
        "A script may wait like that. An interface stands still for each 0.3 s: let its event loop wait, and change "
        "what is seen from its own thread only.",
        "any",
        (
            threads.join_keeps_its_caller_waiting,
            Document(f"{DOCS}library/threading.html#threading.Thread.join", "join blocks the calling thread"),
        ),
        1,
    ),
    Claim(
        "one lock for all",
        "The text",
        "There is one global lock, so threads do not use several cores.",
        "partly",
        "True of the build that you get by default. In a free-threaded build there is no such lock, and threads "
        "that compute use all cores; a single thread pays some 5 to 10 % for that.",
        "free-threaded builds: an experiment in 3.13, supported from 3.14 on, and still a choice",
        (
            threads.two_threads_use_one_core,
            Document(f"{PEPS}pep-0779/", "in which case the free-threaded build counts as supported: from 3.14 on"),
            Document(f"{DOCS}whatsnew/3.14.html", "what it costs a single thread"),
            Document(f"{DOCS}howto/free-threading-python.html", "what a build without the GIL is, and its limits"),
        ),
        3,
    ),
    Claim(
        "in sequence",
        "The text",
        "The instructions of several threads are executed in sequence.",
        "partly",
        "One at a time, but mixed: every few milliseconds another thread may have its turn, and you do not choose "
        "where. That is no protection.",
        "any with a GIL; without, not even one at a time",
        (
            threads.threads_are_switched,
            Document(f"{DOCS}library/sys.html#sys.setswitchinterval", "how long a thread has its turn"),
        ),
        7,
    ),
    Claim(
        "except input and output",
        "The text",
        "The exception is a thread that reads or writes: meanwhile others run.",
        "partly",
        "There is another. Code in C may give the lock away while it computes, and hashing, compression and NumPy "
        "do. Adding up and sorting do not.",
        "any with a GIL",
        (
            threads.some_c_code_lets_others_run,
            Document(
                f"{DOCS}glossary.html#term-global-interpreter-lock",
                "it is always released for input and output, and by some modules while they compute",
            ),
        ),
        3,
    ),
    Claim(
        "no way to end a thread",
        "The text",
        "Nothing can interrupt a thread by force.",
        "right",
        "No public way has come since. The C API can put an exception into a thread, and it arrives at the next step "
        "in Python: a loop ends, a sleep or a lock that it waits for does not notice.",
        "any",
        (
            threads.nothing_public_ends_a_thread,
            threads.an_exception_from_outside_waits,
            Document(
                "https://docs.python.org/3.13/c-api/init.html#c.PyThreadState_SetAsyncExc",
                "raises an exception in a thread, asynchronously",
            ),
        ),
        4,
    ),
    Claim(
        "hanging in complicated ways",
        "The text",
        "Because a thread cannot be ended, a program can end up stuck in ways that are hard to see through.",
        "partly",
        "It locks up because somebody waits for ever. Force would not help: who is ended while holding a lock leaves "
        "it locked. Limits on every wait, and an event to ask by, do.",
        "any",
        (locks.a_terminated_process_keeps_its_lock,),
        4,
    ),
    Claim(
        "hard to debug",
        "The text",
        "Programs with threads are harder to debug, races and deadlocks above all.",
        "right",
        "Still so, with better tools: stacks of all threads on a signal, a debugger that joins a running process, "
        "a task list for asyncio. None of them names the circle of two locks.",
        "faulthandler since 3.3; pdb -p and asyncio ps from 3.14 on; profiling.sampling from 3.15 on",
        (
            Document(
                f"{DOCS}library/faulthandler.html", "dumps the stacks of all threads on a signal or after a time"
            ),
            Document(f"{DOCS}whatsnew/3.14.html", "pdb attaches to a process; asyncio shows its tasks from outside"),
            Document("https://docs.python.org/3.15/whatsnew/3.15.html", "a sampling profiler attaches to a process"),
        ),
        6,
    ),
)

LOCKS: Final = (
    Claim(
        "care does not help",
        "Example 3",
        "To put locks around variables, with a little care, does not keep you from deadlocks.",
        "partly",
        "Locks alone do not. Care of one kind does, and the article does not say which: take them in one order, "
        "everywhere. Or wait with a limit, or have one lock.",
        "any",
        (locks.two_orders_lock_each_other_out, locks.one_order_never_does),
        6,
    ),
    Claim(
        "on one machine only",
        "Example 3",
        "A deadlock depends on timing: it may come every time on one computer, and never on one a little quicker.",
        "right",
        "That is what makes it hard. Its own listing is the exception: its pauses make the deadlock all but "
        "certain. A barrier in the right place makes it appear for sure.",
        "any",
        (locks.two_orders_lock_each_other_out,),
        6,
    ),
    Claim(
        "dictionaries",
        "The text",
        "Dictionaries and much else are not reentrant, so you have to protect many variables.",
        "wrong",
        "The word for it is thread-safe; reentrant is what an RLock is. And one operation on a dict with ordinary "
        "keys is safe: no insert is lost. Two operations in a row need a lock, and so does walking through it.",
        "any; written down for built-in types in the documentation of 3.14",
        (
            locks.a_dict_keeps_every_insert,
            locks.two_steps_on_a_dict_lose_one,
            locks.a_dict_that_grows_cannot_be_walked,
            locks.reentrant_means_taken_twice,
            Document(
                f"{DOCS}library/threadsafety.html", "which operations of built-in types are atomic without the GIL"
            ),
            Document(
                f"{DOCS}faq/library.html#what-kinds-of-global-value-mutation-are-thread-safe",
                "which are atomic with it",
            ),
        ),
        7,
    ),
)
