"""The article's last two examples: what their code does, and what is said of it; and the text's own mistakes."""

from typing import Final

from helpers.panels.claims.claim import DOCS, Claim, Document
from helpers.panels.evidence import listings, locks, processes, programs

THIRD_AND_FOURTH: Final = (
    Claim(
        "it locks",
        "Example 3",
        "Run it, and both threads stop for good: each holds what the other wants.",
        "right",
        "A true deadlock, and the best program of the four. Its long pauses make it all but certain.",
        "any, with its prints in brackets from 3.0 on",
        (locks.two_orders_lock_each_other_out,),
        6,
    ),
    Claim(
        "locks that guard nothing",
        "Example 3",
        "x and y have a lock each, and so are safe.",
        "bug",
        "Neither function touches x or y. What a lock protects is a read and a write that belong together.",
        "any",
        (locks.two_steps_on_a_dict_lose_one,),
        7,
    ),
    Claim(
        "no with",
        "Example 3",
        "It calls acquire and release, with nothing in between that makes sure of the second.",
        "bug",
        "An error between the two leaves the lock locked for ever. Write with lock: and that cannot happen.",
        "with has been there for locks since 2.5",
        (
            listings.an_error_leaves_the_lock_locked,
            Document(f"{DOCS}library/threading.html#with-locks", "locks can be used in a with statement"),
        ),
        6,
    ),
    Claim(
        "order of release",
        "Example 3",
        "Each function releases first what it took first.",
        "right",
        "In which order locks are released does not matter. In which order they are taken does.",
        "any",
        (locks.one_order_never_does,),
        6,
    ),
    Claim(
        "it cannot be interrupted",
        "Example 3",
        "The main program starts two ordinary threads and joins them without a limit.",
        "bug",
        "The first Ctrl-C does not end it: at most it ends the main program's wait, never that of the threads. "
        "Wait with a limit, and make threads that may hang daemons.",
        "any",
        (
            programs.a_waiting_thread_keeps_the_program,
            Document(
                f"{DOCS}library/threading.html#threading.Thread.daemon",
                "the program exits when no threads are left but daemons",
            ),
        ),
        6,
    ),
    Claim(
        "results thrown away",
        "Example 4",
        "Two processes compute x + y and x - y, and print them; the program ends with x and y as they were.",
        "bug",
        "It does what copies do, and so the work is lost. Results come back by a queue, a pipe, or best, a future.",
        "any",
        (processes.what_a_process_returns_is_lost, processes.arguments_are_copies),
        8,
    ),
    Claim(
        "typing mistakes",
        "The text",
        "A few words are misspelt, a name among them; and voilà has lost its à.",
        "bug",
        "The à was saved as UTF-8 and read as something else. The saying about two problems is Jamie Zawinski's; he "
        "made it about regular expressions.",
        "any",
        (listings.a_wrong_encoding_garbles,),
        None,
    ),
)
