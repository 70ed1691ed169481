"""Evidence on the article's code, line by line: each function tries a line or two of ours with the same mistake."""

import multiprocessing
import threading
from typing import Any


def print_is_no_statement() -> bool:
    """A `print` without brackets does not even compile."""
    return _raises(SyntaxError, 'print "words"') and _raises(NameError, "print(words)")


def threads_say_is_alive() -> bool:
    """A thread has `is_alive`, and no `isAlive`."""
    return hasattr(threading.Thread, "is_alive") and not hasattr(threading.Thread, "isAlive")


def processes_say_is_alive() -> bool:
    """A process has `is_alive`, and no `isAlive`."""
    return hasattr(multiprocessing.Process, "is_alive") and not hasattr(multiprocessing.Process, "isAlive")


def processing_is_no_name() -> bool:
    """After `import multiprocessing` there is no name `processing`."""
    return _raises(NameError, "import multiprocessing\nprocessing.Process()", "'processing'")


def a_wrong_name_hides_behind_another() -> bool:
    """Of two wrong names in one call, Python reports the first; the second shows when that is put right."""
    first = _raises(NameError, "first(target=second)", "'first'")
    return first and _raises(NameError, "dict(target=second)", "'second'")


def an_error_leaves_the_lock_locked() -> bool:
    """Fail between `acquire` and `release`, and the lock stays locked; fail in a `with`, and it is free."""
    bare, in_with = threading.Lock(), threading.Lock()
    bare_fails = _raises(ZeroDivisionError, "lock.acquire()\n1 / 0\nlock.release()", lock=bare)
    with_fails = _raises(ZeroDivisionError, "with lock:\n    1 / 0", lock=in_with)
    return bare_fails and bare.locked() and with_fails and not in_with.locked()


def a_wrong_encoding_garbles() -> bool:
    """UTF-8 that is read as Latin-2 turns one accented letter into two characters."""
    return "à".encode().decode("iso8859-2") == "Ă\xa0"


def _raises(kind: type[Exception], program: str, words: str = "", **names: Any) -> bool:  # noqa: ANN401 (what it uses)
    """Whether compiling or running `program` raises an exception that says these words."""
    try:
        exec(compile(program, "<a line of ours>", "exec"), names)  # noqa: S102 (our own lines)
    except kind as error:
        return words in str(error)
    return False
