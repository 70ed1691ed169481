"""The article's first two examples: what their code does, and what is said of it."""

from typing import Final

from helpers.panels.claims.claim import DOCS, PEPS, Claim, Document
from helpers.panels.evidence import listings, processes, programs, threads

FIRST_AND_SECOND: Final = (
    Claim(
        "print",
        "All four examples",
        "They print with a statement, without brackets.",
        "bug",
        "print is a function. All four programs end with a SyntaxError before their first line has run.",
        "2 only; a SyntaxError from 3.0 on",
        (
            listings.print_is_no_statement,
            Document(f"{PEPS}pep-3105/", "print becomes a function in Python 3.0"),
        ),
        2,
    ),
    Claim(
        "coding line",
        "All four examples",
        "They begin with a comment that names their encoding, UTF-8.",
        "out of date",
        "Harmless, and needed no more: a Python file is UTF-8 unless it says otherwise.",
        "not needed from 3.0 on",
        (Document(f"{PEPS}pep-3120/", "the default encoding of source files becomes UTF-8"),),
        None,
    ),
    Claim(
        "main guard",
        "All four examples",
        "A module should not act when it is imported; hence the test of __name__ at the end.",
        "right",
        "For threads it is good manners. For processes it is a must, and on Windows always was: a spawned one, "
        "and one from a fork server, imports the main module first.",
        "needed everywhere: spawn is the default on Windows and macOS, forkserver on Linux from 3.14 on",
        (
            programs.a_spawned_process_needs_the_guard,
            Document(
                f"{DOCS}library/multiprocessing.html#the-spawn-and-forkserver-start-methods",
                "a new interpreter must be able to import the main module without side effects",
            ),
        ),
        5,
    ),
    Claim(
        "isAlive of a thread",
        "Example 1",
        "The loop asks the thread isAlive().",
        "bug",
        "The method is called is_alive(), and has been since 2.6. The old name is gone: AttributeError.",
        "isAlive was deprecated in 3.8 and removed in 3.9",
        (
            listings.threads_say_is_alive,
            Document(
                "https://docs.python.org/3.9/whatsnew/3.9.html#removed",
                "isAlive() of threading.Thread has been removed",
            ),
        ),
        2,
    ),
    Claim(
        "output of example 1",
        "Example 1",
        "It prints these lines, in this order.",
        "partly",
        "The lines are right. Their order is one of several: the system decides which thread goes on, and when.",
        "any",
        (threads.threads_are_switched,),
        2,
    ),
    Claim(
        "a toy that sleeps",
        "Example 1",
        "A worker that sleeps for two seconds stands for a long task.",
        "partly",
        "It stands for one that waits. A sleeping thread needs no GIL and disturbs nobody. One that computes in "
        "Python takes turns with the interface, which then lags.",
        "any with a GIL",
        (
            threads.two_threads_use_one_core,
            Document(f"{DOCS}library/time.html#time.sleep", "sleep suspends the calling thread"),
        ),
        3,
    ),
    Claim(
        "processing",
        "Examples 2 and 4",
        "They import multiprocessing, and then speak of processing.Process.",
        "bug",
        "NameError. processing was the name of the package before it came into the standard library.",
        "never worked, not even in 2.6",
        (
            listings.processing_is_no_name,
            Document(f"{PEPS}pep-0371/", "the processing package is included under the name multiprocessing"),
        ),
        5,
    ),
    Claim(
        "target",
        "Example 2",
        "The function is called worker where it is made, and trabajador where it is used.",
        "bug",
        "A second NameError, hidden behind the first: it shows when that one has been put right.",
        "never worked",
        (listings.a_wrong_name_hides_behind_another,),
        5,
    ),
    Claim(
        "isAlive of a process",
        "Example 2",
        "The loop asks the process isAlive().",
        "bug",
        "A Process has had is_alive() from its first day, and never the other name. The third error in a row.",
        "never worked, not even in 2.6",
        (
            listings.processes_say_is_alive,
            Document(
                f"{DOCS}library/multiprocessing.html#multiprocessing.Process.is_alive", "the method is is_alive"
            ),
        ),
        5,
    ),
    Claim(
        "the only change",
        "Example 2",
        "From a thread to a process only the import and the name of the class change.",
        "wrong",
        "The listing itself needs three more corrections. And what worked by shared variables does not any more: "
        "arguments are copied, functions must be found in a module, results need a way back.",
        "any",
        (processes.arguments_are_copies, processes.what_a_process_returns_is_lost),
        5,
    ),
    Claim(
        "names that mislead",
        "Examples 2 and 4",
        "Variables and messages call a process a thread, in English or in Spanish; example 4 imports time for "
        "nothing.",
        "bug",
        "It does no harm to the program, and some to its reader: a process has its own id and its own memory.",
        "any",
        (processes.a_process_is_another_python,),
        5,
    ),
)
