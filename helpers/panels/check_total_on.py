"""Lesson 16's exercise: add up lists that stay on the workers, though one of these dies.

The check has a cluster of its own, a real scheduler and two workers; `Load` tells where its lists are made and go.
"""

import os
from collections.abc import Sequence
from functools import partial
from tempfile import TemporaryDirectory
from typing import Final

from distributed import Client, Future

from helpers.observe.loading import Load, Seen, numbers_of
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, is_number
from helpers.panels.hosts import START_LIMIT, hosts
from helpers.panels.verdict import Verdict

NAMES: Final = tuple("abcdef")
WORKERS: Final = 2


def check_total_on(answer: Answer) -> Verdict:
    """Check the learner's `total_on(client, load, names)`; takes some seconds to start a cluster."""
    before = Exercise()(answer)
    if not before.good:  # nothing that is worth a cluster
        return before
    with (
        hosts(workers=WORKERS) as cluster,
        Client(cluster.scheduler_address) as client,  # type: ignore[no-untyped-call] # Dask is annotated in part
    ):
        client.wait_for_workers(WORKERS, timeout=START_LIMIT)
        exercise = Exercise(
            Property("the sum is right, for one list and for many", partial(_right, client)),
            Property("the lists were made on the workers, two at a time, and stayed there", partial(_stayed, client)),
            Property("the sum is right too when a worker is killed in the middle", partial(_survives, client)),
        )
        return exercise(answer)


def _right(client: Client, answer: Answer) -> str | None:
    with TemporaryDirectory() as folder:
        load = Load(folder, home=os.getpid())
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


def _stayed(client: Client, answer: Answer) -> str | None:
    with TemporaryDirectory() as folder:
        answer(client, Load(folder, home=os.getpid()), list(NAMES))
        seen = Seen.of(folder)
    if os.getpid() in seen.makers:
        return "load was called in the notebook: hand Dask the function itself, as in client.map(load, names)."
    if seen.unpacked:
        return f"{seen.unpacked} lists came to the notebook: add each up where it lies, client.map(sum, lists)."
    if seen.most_at_once < WORKERS:
        return "The lists were made one after the other: hand in all tasks first, and only then wait for a result."
    return None


def _survives(client: Client, answer: Answer) -> str | None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        hint = _wrong(answer(client, Load(folder, home=os.getpid(), deadly=NAMES[-1]), list(NAMES)), NAMES)
        if hint:
            return f"A worker was killed while you waited. {hint}"
        return None if Seen.of(folder).killed else "No worker made the last list: is every name handed in?"
