"""Programs of which it is known whether they are right, as a learner would write them."""

# ruff: noqa: SIM117 (locks are taken one by one, as learners do)

import threading
import time
from collections import deque
from types import SimpleNamespace

from helpers.observe.lab.program import Program


def two_locks():
    return SimpleNamespace(lock_x=threading.Lock(), lock_y=threading.Lock(), x=4, y=6)


def first(shared):
    with shared.lock_x:
        with shared.lock_y:
            shared.x = shared.x + shared.y


def second(shared):
    with shared.lock_y:
        with shared.lock_x:
            shared.y = shared.y * 2


def second_in_order(shared):
    with shared.lock_x:
        with shared.lock_y:
            shared.y = shared.y * 2


def first_under_one(shared):
    with shared.lock_x:
        shared.x = shared.x + shared.y


def second_under_one(shared):
    with shared.lock_x:
        shared.y = shared.y * 2


def right_sums(shared):
    return (shared.x, shared.y) in {(10, 12), (16, 12)}


TWO_LOCKS = Program(two_locks, [first, second], check=right_sums)
IN_ORDER = Program(two_locks, [first, second_in_order], check=right_sums)
ONE_LOCK = Program(two_locks, [first_under_one, second_under_one], check=right_sums)


def backing_off_first(shared):
    while True:
        with shared.lock_x:
            if shared.lock_y.acquire(timeout=0.1):
                shared.x = shared.x + shared.y
                shared.lock_y.release()
                return
        time.sleep(0.1)


def backing_off_second(shared):
    while True:
        with shared.lock_y:
            if shared.lock_x.acquire(timeout=0.1):
                shared.y = shared.y * 2
                shared.lock_x.release()
                return
        time.sleep(0.1)


BACK_OFF = Program(two_locks, [backing_off_first, backing_off_second], check=right_sums)
ONE_BACKS_OFF = Program(two_locks, [first, backing_off_second], check=right_sums)


def take_both(one, other, patience):
    while True:
        one.acquire()
        if other.acquire(timeout=patience):
            return
        one.release()
        time.sleep(patience)


def first_helped(shared):
    take_both(shared.lock_x, shared.lock_y, 0.1)
    shared.x = shared.x + shared.y
    shared.lock_x.release()
    shared.lock_y.release()


def second_helped(shared):
    take_both(shared.lock_y, shared.lock_x, 0.3)
    shared.y = shared.y * 2
    shared.lock_x.release()
    shared.lock_y.release()


BACK_OFF_HELPED = Program(two_locks, [first_helped, second_helped], check=right_sums)


def giving_up_first(shared):
    for _ in range(2):
        with shared.lock_x:
            if shared.lock_y.acquire(timeout=0.1):
                shared.lock_y.release()
                return
        time.sleep(0.1)


def giving_up_second(shared):
    for _ in range(2):
        with shared.lock_y:
            if shared.lock_x.acquire(timeout=0.2):
                shared.lock_x.release()
                return
        time.sleep(0.2)


GIVING_UP = Program(two_locks, [giving_up_first, giving_up_second])


def table():
    return SimpleNamespace(forks=[threading.Lock(), threading.Lock(), threading.Lock()], eaten=0)


def eat(shared, left, right):
    with shared.forks[left]:
        with shared.forks[right]:
            pass


def plato(shared):
    eat(shared, 0, 1)


def kant(shared):
    eat(shared, 1, 2)


def hume(shared):
    eat(shared, 2, 0)


def hume_in_order(shared):
    eat(shared, 0, 2)


PHILOSOPHERS = Program(table, [plato, kant, hume])
ORDERLY_PHILOSOPHERS = Program(table, [plato, kant, hume_in_order])


def counter():
    return SimpleNamespace(count=0, lock=threading.Lock())


def add_one(shared):
    shared.count += 1


def add_one_locked(shared):
    with shared.lock:
        shared.count += 1


LOST_UPDATE = Program(counter, [add_one, add_one], check=lambda shared: shared.count == 2)
LOST_UPDATE_OF_3 = Program(counter, [add_one] * 3, check=lambda shared: shared.count == 3)
NO_LOST_UPDATE = Program(counter, [add_one_locked] * 2, check=lambda shared: shared.count == 2)
NO_LOST_UPDATE_OF_3 = Program(counter, [add_one_locked] * 3, check=lambda shared: shared.count == 3)


def words():
    return SimpleNamespace(counts={"a": 0}, lock=threading.Lock())


def count_word(shared):
    shared.counts["a"] += 1


def count_word_locked(shared):
    with shared.lock:
        shared.counts["a"] += 1


LOST_VALUE = Program(words, [count_word] * 2, check=lambda shared: shared.counts == {"a": 2})
NO_LOST_VALUE = Program(words, [count_word_locked] * 2, check=lambda shared: shared.counts == {"a": 2})


def cache():
    return SimpleNamespace(cache={}, computed=0, lock=threading.Lock())


def look_up(shared):
    if "key" not in shared.cache:
        shared.cache["key"] = 7
        shared.computed += 1


def look_up_locked(shared):
    with shared.lock:
        if "key" not in shared.cache:
            shared.cache["key"] = 7
            shared.computed += 1


def computed_once(shared):
    assert shared.computed == 1, f"computed {shared.computed} times"


CHECK_THEN_SET = Program(cache, [look_up] * 2, check=computed_once)
CHECKED_UNDER_LOCK = Program(cache, [look_up_locked] * 2, check=computed_once)


def lazily():
    return SimpleNamespace(pool=None, made=[], lock=threading.Lock())


def get_pool(shared):
    if shared.pool is None:
        shared.pool = []
        shared.made.append("pool")
    shared.pool.append(1)


def get_pool_locked(shared):
    with shared.lock:
        if shared.pool is None:
            shared.pool = []
            shared.made.append("pool")
    shared.pool.append(1)


def one_pool(shared):
    return len(shared.pool) == 2 or f"the pool has {len(shared.pool)} of 2"


LAZY = Program(lazily, [get_pool] * 2, check=one_pool)
LAZY_UNDER_LOCK = Program(lazily, [get_pool_locked] * 2, check=one_pool)


def bank():
    return SimpleNamespace(
        ann=SimpleNamespace(balance=5, lock=threading.Lock()), bob=SimpleNamespace(balance=5, lock=threading.Lock())
    )


def transfer(source, target, amount):
    with source.lock:
        with target.lock:
            source.balance -= amount
            target.balance += amount


def ann_pays(shared):
    transfer(shared.ann, shared.bob, 1)


def bob_pays(shared):
    transfer(shared.bob, shared.ann, 2)


def bob_pays_in_order(shared):
    with shared.ann.lock, shared.bob.lock:
        shared.bob.balance -= 2
        shared.ann.balance += 2


def nothing_lost(shared):
    return shared.ann.balance + shared.bob.balance == 10


BANK = Program(bank, [ann_pays, bob_pays], check=nothing_lost)
BANK_IN_ORDER = Program(bank, [ann_pays, bob_pays_in_order], check=nothing_lost)


def post():
    return SimpleNamespace(ready=threading.Condition(), arrived=threading.Event(), letters=[], got=None)


def await_notify(shared):
    with shared.ready:
        shared.ready.wait()
        shared.got = shared.letters.pop()


def await_letter(shared):
    with shared.ready:
        while not shared.letters:
            shared.ready.wait()
        shared.got = shared.letters.pop()


def await_letter_with_predicate(shared):
    with shared.ready:
        shared.ready.wait_for(lambda: shared.letters)
        shared.got = shared.letters.pop()


def notify(shared):
    with shared.ready:
        shared.letters.append("hello")
        shared.ready.notify()


def await_event(shared):
    shared.arrived.wait()
    shared.got = shared.letters.pop()


def set_event(shared):
    shared.letters.append("hello")
    shared.arrived.set()


def set_event_too_early(shared):
    shared.arrived.set()
    shared.letters.append("hello")


def pulse(shared):
    shared.letters.append("hello")
    shared.arrived.set()
    shared.arrived.clear()


def wait_without_lock(shared):
    shared.ready.wait()


def got_it(shared):
    return shared.got == "hello"


MISSED_NOTIFY = Program(post, [await_notify, notify], check=got_it)
PREDICATE = Program(post, [await_letter, notify], check=got_it)
PREDICATE_FOR = Program(post, [await_letter_with_predicate, notify], check=got_it)
EVENT = Program(post, [await_event, set_event], check=got_it)
EVENT_TOO_EARLY = Program(post, [await_event, set_event_too_early], check=got_it)
PULSE = Program(post, [await_event, pulse], check=got_it)
WAIT_WITHOUT_LOCK = Program(post, [wait_without_lock, notify])


def nested():
    return SimpleNamespace(lock=threading.Lock(), rlock=threading.RLock(), count=0)


def again(shared):
    with shared.lock:
        with shared.lock:
            shared.count += 1


def again_reentrant(shared):
    with shared.rlock:
        with shared.rlock:
            shared.count += 1


SELF_DEADLOCK = Program(nested, [again, again], check=lambda shared: shared.count == 2)
REENTRANT = Program(nested, [again_reentrant] * 2, check=lambda shared: shared.count == 2)


def inventory():
    return SimpleNamespace(stock={"tea": 1, "jam": 2}, total=0)


def add_up(shared):
    for thing in shared.stock:
        shared.total += shared.stock[thing]


def add_up_a_copy(shared):
    for thing in list(shared.stock):
        shared.total += shared.stock[thing]


def restock(shared):
    shared.stock["ham"] = 4


LOOP_WHILE_INSERTING = Program(inventory, [add_up, restock])
LOOP_OVER_A_COPY = Program(inventory, [add_up_a_copy, restock], check=lambda shared: shared.total in {3, 7})


def careless():
    return SimpleNamespace(lock=threading.Lock(), numbers={}, done=0)


def fail_with_the_lock(shared):
    shared.lock.acquire()
    shared.done = shared.numbers["missing"]
    shared.lock.release()


def fail_and_release(shared):
    with shared.lock:
        shared.done = shared.numbers["missing"]


def needs_the_lock(shared):
    with shared.lock:
        shared.done += 1


HOLDER_FAILED = Program(careless, [fail_with_the_lock, needs_the_lock])
FAILED_AND_RELEASED = Program(careless, [fail_and_release, needs_the_lock])


def places():
    return SimpleNamespace(places=threading.Semaphore(2), inside=0, most=0, seats=threading.BoundedSemaphore(1))


def enter(shared):
    with shared.places:
        shared.inside += 1
        shared.inside -= 1


def sit(shared):
    with shared.seats:
        shared.inside += 1
        shared.inside -= 1


SEMAPHORE_OF_2 = Program(places, [enter] * 2, check=lambda shared: shared.inside == 0)
SEMAPHORE_OF_1 = Program(places, [sit] * 3, check=lambda shared: shared.inside == 0)


def jobs():
    return SimpleNamespace(jobs=deque([1, 2]), done=set(), stop=False)


def take_checked(shared):
    if shared.jobs:
        shared.done.add(shared.jobs.popleft())


def take_asking(shared):
    try:
        shared.done.add(shared.jobs.popleft())
    except IndexError:
        return


DEQUE_CHECKED = Program(jobs, [take_checked] * 3)
DEQUE_ASKED = Program(jobs, [take_asking] * 3, check=lambda shared: shared.done == {1, 2})


def spin(shared):
    while not shared.stop:
        pass
    shared.done.add("stopped")


def stop(shared):
    shared.stop = True


def never_stop(shared):
    shared.jobs.clear()


SPIN = Program(jobs, [spin, stop], check=lambda shared: shared.done == {"stopped"})
SPIN_FOR_EVER = Program(jobs, [spin, never_stop])

BAD = {
    "two locks": (TWO_LOCKS, "deadlock", 2),
    "back off alike": (BACK_OFF, "livelock", None),
    "back off alike, in a helper": (BACK_OFF_HELPED, "livelock", None),
    "philosophers": (PHILOSOPHERS, "deadlock", 3),
    "lost update": (LOST_UPDATE, "wrong result", 4),
    "lost update of three": (LOST_UPDATE_OF_3, "wrong result", 6),
    "lost value": (LOST_VALUE, "wrong result", 4),
    "check, then set": (CHECK_THEN_SET, "wrong result", None),
    "lazy": (LAZY, "wrong result", None),
    "bank": (BANK, "deadlock", None),
    "missed notify": (MISSED_NOTIFY, "stuck", None),
    "event too early": (EVENT_TOO_EARLY, "error", None),
    "event pulsed": (PULSE, "stuck", None),
    "wait without the lock": (WAIT_WITHOUT_LOCK, "error", None),
    "self-deadlock": (SELF_DEADLOCK, "deadlock", None),
    "loop while inserting": (LOOP_WHILE_INSERTING, "error", None),
    "holder failed": (HOLDER_FAILED, "stuck", None),
    "failed and released": (FAILED_AND_RELEASED, "error", None),
    "deque checked": (DEQUE_CHECKED, "error", None),
    "spin for ever": (SPIN_FOR_EVER, "livelock", None),
}
GOOD = {
    "in order": IN_ORDER,
    "one lock": ONE_LOCK,
    "one backs off": ONE_BACKS_OFF,
    "giving up": GIVING_UP,
    "orderly philosophers": ORDERLY_PHILOSOPHERS,
    "no lost update": NO_LOST_UPDATE,
    "no lost update of three": NO_LOST_UPDATE_OF_3,
    "no lost value": NO_LOST_VALUE,
    "checked under lock": CHECKED_UNDER_LOCK,
    "lazy under lock": LAZY_UNDER_LOCK,
    "bank in order": BANK_IN_ORDER,
    "predicate": PREDICATE,
    "wait_for": PREDICATE_FOR,
    "event": EVENT,
    "reentrant": REENTRANT,
    "loop over a copy": LOOP_OVER_A_COPY,
    "semaphore of 2": SEMAPHORE_OF_1,
    "deque asked": DEQUE_ASKED,
    "spin": SPIN,
}
