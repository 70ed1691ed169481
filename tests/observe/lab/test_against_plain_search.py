"""Exploring merges equal situations and replays little; trying every schedule from its start tells the same."""

# ruff: noqa: S102, S311 (programs are made by chance, from the statements below)

import random
import textwrap
import threading
from types import SimpleNamespace

import pytest

from helpers.observe.lab.exploring import explore
from helpers.observe.lab.program import Program
from tests.observe.lab import programs
from tests.observe.lab.plain_search import all_endings, cost

MOST = 250
STATEMENTS = [
    "shared.x += 1", "shared.y = shared.x", "shared.d['k'] = shared.d.get('k', 0) + 1", "shared.l.append(shared.x)",
    "shared.l.pop()", "shared.e.set()", "shared.e.wait()", "shared.e.wait(1)", "shared.e.clear()",
    "shared.box.v += 1", "shared.box = SimpleNamespace(v=2)", "shared.l = [2]", "shared.x = 7", "n = n + 1",
    "shared.y = n", "if shared.x > 0: shared.y = 3", "if 'k' in shared.d: shared.d.pop('k')", "shared.s.release()",
    "shared.a.acquire(timeout=1)", "shared.b.acquire(False)", "for k in shared.d: n += 1",
]  # fmt: skip
BLOCKS = [
    "with shared.a:",
    "with shared.b:",
    "with shared.r:",
    "with shared.s:",
    "with shared.c:",
    "for _ in range(2):",
]
SIGNALS = ["shared.c.wait()", "shared.c.notify()", "shared.c.notify_all()", "shared.c.wait(1)"]


def make():
    return SimpleNamespace(
        a=threading.Lock(), b=threading.Lock(), r=threading.RLock(), s=threading.Semaphore(1), e=threading.Event(),
        c=threading.Condition(), x=0, y=0, d={}, l=[1], box=SimpleNamespace(v=0),
    )  # fmt: skip


def statements(chance, depth, count, *, in_condition=False):
    lines = []
    for _ in range(count):
        if depth < 2 and chance.random() < 0.35:
            block = chance.choice(BLOCKS)
            inner = statements(chance, depth + 1, chance.randint(1, 2), in_condition="shared.c" in block)
            lines += [block, *(f"    {line}" for line in inner)]
        else:
            lines.append(chance.choice(SIGNALS if in_condition and chance.random() < 0.6 else STATEMENTS))
    return lines


def program_by_chance(seed):
    chance = random.Random(seed)
    names = {"SimpleNamespace": SimpleNamespace}
    for number in (1, 2):
        body = textwrap.indent("\n".join(statements(chance, 0, chance.randint(1, 3))), "    ")
        exec(f"def f{number}(shared):\n    n = 0\n{body}", names)
    most = chance.randint(1, 3)
    return Program(make, [names["f1"], names["f2"]], check=lambda shared: shared.x < most)


def compare(program, most):
    """Whether the two ways tell the same of `program`; false if it has too many schedules for the slow one."""
    exploration = explore(program, most_seconds=30)
    endings = all_endings(program, most)
    if endings is None:
        return False
    bad = {schedule: ending for schedule, ending in endings.items() if not ending.good}
    if bad:
        found = exploration.bad
        assert cost(found.schedule) == min(map(cost, bad))
        assert bad[found.schedule] == (found.kind, found.words)
    else:
        assert exploration.bad is None
        assert exploration.complete
        assert exploration.schedules == len(endings)
    return True


@pytest.mark.parametrize(
    "program",
    [
        programs.TWO_LOCKS,
        programs.IN_ORDER,
        programs.LOST_UPDATE,
        programs.LOST_UPDATE_OF_3,
        programs.CHECK_THEN_SET,
        programs.MISSED_NOTIFY,
        programs.PREDICATE,
        programs.EVENT,
        programs.PULSE,
        programs.LOOP_WHILE_INSERTING,
        programs.LOOP_OVER_A_COPY,
        programs.LAZY_UNDER_LOCK,
        programs.DEQUE_ASKED,
        programs.HOLDER_FAILED,
        programs.ORDERLY_PHILOSOPHERS,
        programs.NO_LOST_UPDATE_OF_3,
    ],
)
def test_known_programs(program):
    assert compare(program, 1_000)


@pytest.mark.parametrize("first", range(0, 24, 6))
def test_programs_made_by_chance(first):
    assert sum(compare(program_by_chance(seed), MOST) for seed in range(first, first + 6)) >= 3
