"""Lesson 16's exercise: add up lists that stay on the workers, though one of these dies.

The check uses the lesson's own cluster, and waits before and after until both workers are there and have nothing to
do. `Load` tells where its lists are made and go.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

from distributed import Client, Future, wait
from distributed.comm.addressing import get_address_host_port

from helpers.observe.loading import Load, Seen, numbers_of
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, is_number
from helpers.panels.hosts import Hosts
from helpers.panels.verdict import Verdict

NAMES: Final = tuple("abcdef")
WORKERS: Final = 2
FREE_LIMIT: Final = 40.0  # seconds; a killed worker is replaced in two where the machine is quiet
_TRIES: Final = 3


def check_total_on(answer: Answer, cluster: Hosts) -> Verdict:
    """Check the learner's `total_on(client, load, names)`.

    Args:
        answer: the function.
        cluster: has two workers. One of them is killed if all else is right; it is replaced before this returns.
    """
    before = Exercise()(answer)
    if not before.good:  # nothing to trouble a cluster with
        return before
    # Deleted when no task can write there any more.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            with _both_free(cluster) as client:
                verdict = _tried(client, folder, answer)
            with _both_free(cluster):
                return verdict
        except OSError:
            cure = "run the cell with hosts(workers=2) once more, and then this one."
            return Verdict(
                good=False, heading="Not checked.", lines=(f"The cluster has not got two free workers: {cure}",)
            )


@contextmanager
def _both_free(cluster: Hosts) -> Iterator[Client]:
    """A client of the cluster, when both workers are through with what they had to do."""
    # A client that finds nobody raises too, but leaves a thread behind.
    socket.create_connection(get_address_host_port(cluster.scheduler_address), FREE_LIMIT).close()
    with Client(cluster.scheduler_address, timeout=FREE_LIMIT) as client:  # type: ignore[no-untyped-call] # in part
        client.wait_for_workers(WORKERS, timeout=FREE_LIMIT)
        through = [client.submit(int, workers=[worker], pure=False) for worker in client.nthreads()]
        wait(through, timeout=FREE_LIMIT)  # type: ignore[no-untyped-call] # as above
        yield client


def _tried(client: Client, folder: str, answer: Answer) -> Verdict:
    made, stayed = "the sum is right, for one list and for many", "the lists were made on the workers, two at a time"
    exercise = Exercise(
        Property(made, partial(_right, client, folder)),
        Property(f"{stayed}, and stayed there", partial(_stayed, client, folder)),
        Property("the sum is right too when a worker is killed in the middle", partial(_survives, client, folder)),
    )
    return exercise(answer)


def _right(client: Client, folder: str, answer: Answer) -> str | None:
    load = Load(mkdtemp(dir=folder), home=os.getpid())
    tries = (NAMES[:1], NAMES)
    return next((hint for names in tries if (hint := _wrong(answer(client, load, list(names)), names))), None)


def _wrong(got: object, names: Sequence[str]) -> str | None:
    right = sum(sum(numbers_of(name)) for name in names)
    if got is None:
        return "Your function gives back None: does it end with return?"
    if isinstance(got, Future):
        return "A Future came back, the promise of a number: ask for its result()."
    if isinstance(got, list | tuple):
        return "One number is asked for, and a list came back: add the lists' sums up too."
    if not is_number(got):
        return f"A number is asked for, and this came back: {got!r:.80}"
    return None if got == right else f"For {len(names)} lists the sum is {right}; yours is {got!r:.80}."


def _stayed(client: Client, folder: str, answer: Answer) -> str | None:
    for _ in range(_TRIES):  # on a busy machine a worker may come too late to be at it together with the other
        seen = _seen(client, mkdtemp(dir=folder), answer)
        if os.getpid() in seen.makers:
            return "load was called in the notebook: hand Dask the function itself, as in client.map(load, names)."
        if seen.unpacked:
            return f"{seen.unpacked} lists came to the notebook: add each up where it lies, client.map(sum, lists)."
        if seen.most_at_once >= WORKERS:
            return None
    return "The lists were made one after the other: hand in all tasks first, and only then wait for a result."


def _seen(client: Client, folder: str, answer: Answer) -> Seen:
    answer(client, Load(folder, home=os.getpid()), list(NAMES))
    return Seen.of(folder)


def _survives(client: Client, folder: str, answer: Answer) -> str | None:
    folder = mkdtemp(dir=folder)
    hint = _wrong(answer(client, Load(folder, home=os.getpid(), deadly=NAMES[-1]), list(NAMES)), NAMES)
    if hint:
        return f"A worker was killed while you waited. {hint}"
    return None if Seen.of(folder).killed else "No worker made the last list: is every name handed in?"
