"""Three ways to get stuck between processes, or to get garbage, each beside its cure. For the sandbox only."""

from typing import TYPE_CHECKING, Any, Final

from helpers.observe.lifeline import end_with_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MESSAGES: Final = 20
"""Messages that each of two writers sends."""


def put_bytes(queue: Any, size: int) -> None:  # noqa: ANN401 (a Queue of any context)
    """Put `size` bytes into `queue`, and end."""
    end_with_parent()
    queue.put(bytes(size))


def join_before_get(size: int) -> int:
    """Wait for a process that has put `size` bytes into a queue, then take them out; give their number."""
    import multiprocessing  # noqa: PLC0415 (only these need it, and its import takes 14 ms)

    queue: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=put_bytes, args=(queue, size))
    process.start()
    process.join()
    return len(queue.get())


def get_before_join(size: int) -> int:
    """Take out what the process puts into a queue, then wait for its end; give the number of bytes."""
    import multiprocessing  # noqa: PLC0415 (only these need it, and its import takes 14 ms)

    queue: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=put_bytes, args=(queue, size))
    process.start()
    received = len(queue.get())
    process.join()
    return received


def send_messages(end: "Connection", letter: str, size: int, start: Any, lock: Any = None) -> None:  # noqa: ANN401 (as above)
    """Send texts of `size` times `letter` when all are at the barrier `start`, each under `lock` if there is one."""
    end_with_parent()
    start.wait()
    for _ in range(MESSAGES):
        if lock is None:
            end.send(letter * size)
        else:
            with lock:
                end.send(letter * size)


def two_writers(size: int, *, locked: bool) -> int:
    """Let two processes write to the same end of one pipe; give how many messages arrived whole.

    Args:
        size: of each message, in bytes. Small ones are written in one piece, large ones are not.
        locked: whether the writers take turns by a lock.
    """
    import multiprocessing  # noqa: PLC0415 (as above)

    receiving, sending = multiprocessing.Pipe(duplex=False)
    lock = multiprocessing.Lock() if locked else None
    start = multiprocessing.Barrier(2, timeout=20)  # one that came late could find the other done
    writers = [
        multiprocessing.Process(target=send_messages, args=(sending, letter, size, start, lock)) for letter in "ab"
    ]
    for writer in writers:
        writer.start()
    whole = {letter * size for letter in "ab"}
    received = sum(receiving.recv() in whole for _ in range(2 * MESSAGES))
    for writer in writers:
        writer.join()
    return received
