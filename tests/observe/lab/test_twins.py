"""What the lab puts in the place of the standard library's things does and raises the same."""

# ruff: noqa: BLE001, E501, S102, S307 (the statements below are run, and all that they raise is compared)

import collections
import copy
import json
import threading
from types import SimpleNamespace

import pytest

from helpers.observe.lab.program import Program
from helpers.observe.lab.stage import Stage


def make():
    lock = threading.Lock()
    return SimpleNamespace(
        lock=lock,
        rlock=threading.RLock(),
        semaphore=threading.Semaphore(2),
        bounded=threading.BoundedSemaphore(2),
        condition=threading.Condition(),
        over_lock=threading.Condition(lock),
        event=threading.Event(),
        items=[3, 1, 2],
        table={"a": 1, "b": 2},
        group={1, 2},
        line=collections.deque([1, 2, 3], maxlen=5),
        deep=[[1], {"a": [2]}],
        pair=(1, (2, 3)),
        x=1,
    )


LOCKS = """
shared.lock.acquire()
shared.lock.acquire(False)
shared.lock.acquire(True, 0.001), shared.lock.acquire(True, 0)
shared.lock.acquire(timeout=0.001)
shared.lock.acquire(False, 1)
shared.lock.acquire(timeout=-2)
shared.lock.acquire('no', timeout='long')
shared.lock.locked()
shared.lock.release(), shared.lock.release()
with shared.lock: raise KeyError('a')
[shared.lock.__enter__(), shared.lock.__exit__(None, None, None), shared.lock.locked()]
[shared.rlock.acquire(), shared.rlock.acquire(), shared.rlock.release(), shared.rlock.release()]
shared.rlock.release()
shared.rlock.acquire(False, 1)
with shared.rlock: shared.rlock.acquire(False)
[shared.semaphore.acquire(), shared.semaphore.acquire(), shared.semaphore.acquire(False)]
[shared.semaphore.acquire(), shared.semaphore.acquire(), shared.semaphore.acquire(timeout=0.001)]
shared.semaphore.acquire(False, 1)
shared.semaphore.release(0)
[shared.semaphore.release(2), shared.semaphore.acquire(False), shared.semaphore.release()]
shared.bounded.release()
[shared.bounded.acquire(), shared.bounded.release(), shared.bounded.release()]
with shared.bounded as held: raise ValueError(held)
""".strip().splitlines()
SIGNALS = """
shared.condition.wait()
shared.condition.wait(0)
shared.condition.notify()
shared.condition.notify_all()
shared.condition.release()
with shared.condition as held: raise ValueError(held, shared.condition.wait(0.001))
with shared.condition: raise ValueError(shared.condition.wait_for(lambda: shared.x))
with shared.condition: raise ValueError(shared.condition.wait_for(lambda: shared.x == 2, timeout=0.001))
with shared.condition: raise ValueError(shared.condition.notify(), shared.condition.notify(2), shared.condition.notify_all())
with shared.over_lock: raise ValueError(shared.lock.locked(), shared.over_lock.wait(0.001), shared.lock.locked())
[shared.over_lock.acquire(), shared.lock.locked(), shared.over_lock.release(), shared.lock.locked()]
[shared.event.is_set(), shared.event.wait(0.001), shared.event.set(), shared.event.wait(), shared.event.is_set()]
[shared.event.set(), shared.event.clear(), shared.event.wait(0)]
""".strip().splitlines()
VALUES = """
[shared.items.append(4), shared.items]
shared.items.extend(x * 2 for x in (1, 2)) or shared.items
shared.items.insert(0, 9) or shared.items
[shared.items.pop(), shared.items.pop(0), shared.items]
shared.items.remove(77)
shared.items.sort(key=lambda x: -x, reverse=True) or shared.items
[shared.items[0], shared.items[-1], shared.items[1:], shared.items[::2]]
shared.items[9]
[len(shared.items), bool(shared.items), 3 in shared.items, shared.items.index(1), shared.items.count(1)]
[shared.items + [1], shared.items * 2, 2 * shared.items, shared.items == [3, 1, 2], shared.items < [4]]
[shared.items.copy(), copy.copy(shared.items), copy.deepcopy(shared.deep), list(reversed(shared.items))]
shared.items += [5]
shared.items[1] += 1
shared.items[1:] = (7, 8, 9)
del shared.items[0]
del shared.items[:2]
[sorted(shared.items), sum(shared.items), max(shared.items), tuple(shared.items), [*shared.items]]
[x for x in shared.items]
[(n, x) for n, x in enumerate(shared.items)]
[a for a in zip(shared.items, shared.items)]
a, b, c = shared.items; raise ValueError(a, b, c)
shared.items.clear() or shared.items
shared.items.nothing()
repr(shared.items), str(shared.table), f"{shared.group} {shared.line}"
[shared.table['a'], shared.table.get('c'), shared.table.get('c', 5), 'a' in shared.table, len(shared.table)]
shared.table['missing']
[shared.table.setdefault('a', 9), shared.table.setdefault('c', []), shared.table]
[shared.table.pop('a'), shared.table.pop('z', None), shared.table.popitem(), shared.table]
shared.table.update({'c': 3}, d=4) or shared.table
shared.table.update([('c', 3)]) or shared.table
shared.table.update(d=4) or shared.table
shared.table |= {'z': 26}
shared.table['a'] += 1
del shared.table['a']
del shared.table['missing']
[list(shared.table), list(shared.table.keys()), list(shared.table.values()), list(shared.table.items())]
[dict(shared.table), {**shared.table}, shared.table.copy(), shared.table | {'c': 1}, shared.table == {'a': 1, 'b': 2}]
[(k, v) for k, v in shared.table.items()]
['a' in shared.table.keys(), 1 in shared.table.values(), ('a', 1) in shared.table.items(), len(shared.table.items())]
[list(reversed(shared.table)), json.dumps(shared.table), json.dumps(shared.items)]
for k in shared.table: shared.table[k + k] = 1
for k in list(shared.table): shared.table[k + k] = 1
for x in shared.items: shared.items.append(x) if len(shared.items) < 9 else None
for x in shared.line: shared.line.append(x)
for x in shared.group: shared.group.add(x + 10)
[shared.group.add(3), shared.group.discard(9), shared.group.remove(1), shared.group]
[shared.group | {7}, shared.group & {1}, shared.group - {1}, shared.group ^ {1, 5}, shared.group <= {1, 2, 3}]
[shared.group.union([8]), shared.group.issubset([1, 2]), shared.group.copy(), sorted(shared.group)]
shared.group |= {9}
shared.group[0]
[shared.line.append(4), shared.line.appendleft(0), shared.line.append(9), shared.line]
[shared.line.popleft(), shared.line.pop(), shared.line.rotate(1), shared.line[0], shared.line]
shared.line.clear() or shared.line.popleft()
[shared.line.copy(), shared.line + shared.line, copy.copy(shared.line)]
[shared.deep[0].append(2), shared.deep[1]['a'].append(3), shared.deep]
[shared.pair, shared.pair[1][0], shared.x]
shared.missing
del shared.x; shared.x
hasattr(shared, 'x'), hasattr(shared, 'nothing'), getattr(shared, 'nothing', 7)
isinstance(shared, SimpleNamespace), isinstance(shared.items, list), isinstance(shared.line, collections.deque)
hash(shared.items)
shared.x = shared.new = 5; raise ValueError(shared.x, shared.new)
shared.items = [1, [2]]; shared.items[1].append(3); raise ValueError(shared.items)
""".strip().splitlines()


def outcome_of(statement, shared):
    names = {
        "shared": shared,
        "copy": copy,
        "json": json,
        "collections": collections,
        "SimpleNamespace": SimpleNamespace,
    }
    try:
        try:
            code = compile(statement, "<statement>", "eval")
        except SyntaxError:
            code = compile(statement, "<statement>", "exec")
        value = eval(code, names)
        return repr((value, SimpleNamespace(i=shared.items, t=shared.table, g=shared.group, l=shared.line)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def in_the_lab(statement):
    def work(shared):
        def announce():  # that the statement may replace these; the lab reads it from the code
            shared.items = shared.table = shared.group = announce

        shared.outcome = outcome_of(statement, shared)

    outcome = []
    with Stage(Program(make, [work], check=lambda shared: outcome.append(shared.outcome))) as stage:
        while stage.ready:
            stage.advance(0)
        assert stage.ending.good, stage.ending.words
    return outcome[0]


@pytest.mark.parametrize("statement", [*LOCKS, *SIGNALS, *VALUES])
def test_the_lab_gives_what_python_gives(statement):
    # Steps stand where a statement waits, so a twin in the lab never does for long.
    assert in_the_lab(statement) == outcome_of(statement, make())


def test_the_test_itself_sees_a_difference():
    assert in_the_lab("shared.x + 1") != outcome_of("shared.x + 2", make())


def steps_of(statements):
    names = {}
    exec("def work(shared):\n" + "".join(f"    {line}\n" for line in statements.splitlines()), names)
    with Stage(Program(make, [names["work"]])) as stage:
        while stage.ready:
            stage.advance(0)
        assert stage.ending.good, stage.ending.words
        return [line.removeprefix("work ") for line in stage.log]


@pytest.mark.parametrize(
    ("statements", "steps"),
    [
        ("shared.x += 1", ["reads x: 1", "writes x = 2"]),
        ("shared.table['a'] += 1", ["reads table['a']: 1", "writes table['a'] = 2"]),
        ("shared.items.append(4)", ["writes items.append(4)"]),
        ("shared.items.pop()", ["writes items.pop(): 2"]),
        ("'a' in shared.table", ["reads 'a' in table: True"]),
        ("len(shared.items)", ["reads len(items): 3"]),
        ("if shared.items: pass", ["reads len(items): 3"]),
        ("del shared.table['a']", ["deletes table['a']"]),
        ("with shared.lock: pass", ["acquires lock", "releases lock"]),
        ("shared.lock.acquire(False)", ["tries to acquire lock: True"]),
        ("shared.event.set()", ["sets event"]),
        ("shared.event.is_set()", ["reads event.is_set(): False"]),
        ("with shared.condition: shared.condition.notify_all()",
         ["acquires condition", "notifies all that wait for condition", "releases condition"]),
        ("shared.new", ["reads new: AttributeError: 'types.SimpleNamespace' object has no attribute 'new'"]),
        # one instruction of Python, one step
        ("list(shared.items)", ["reads all of items: [3, 1, 2]"]),
        ("dict(shared.table)", ["reads all of table.keys(): ['a', 'b']"]),
        ("sorted(shared.table.items())", ["reads all of table.items(): [('a', 1), ('b', 2)]"]),
        ("a, b, c = shared.items", ["reads all of items: [3, 1, 2]"]),
        ("[*shared.group]", ["reads all of group: [1, 2]"]),
        ("sum(shared.line)", ["reads all of line: [1, 2, 3]"]),
        # several
        ("for thing in shared.table: pass",
         ["reads the next of table: 'a'", "reads the next of table: 'b'", "reads the next of table: there is none"]),
        ("for pair in enumerate(shared.table.values()): break", ["reads the next of table.values(): 1"]),
        ("[thing for thing in shared.line if thing > 3]",
         ["reads the next of line: 1", "reads the next of line: 2", "reads the next of line: 3",
          "reads the next of line: there is none"]),
    ],
)  # fmt: skip
def test_what_is_one_step_and_what_is_several(statements, steps):
    if "new" in statements:
        statements = f"try: {statements}\nexcept AttributeError: pass"
    assert steps_of(statements) == steps
