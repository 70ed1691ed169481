"""The smallest program that never ends; it imports little, for it is run hundreds of times."""

import threading


def take(mine, other, both):
    with mine:
        both.wait(60)
        with other:
            pass


def two_locks():
    lock_x, lock_y, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
    first = threading.Thread(target=take, args=(lock_x, lock_y, both), name="f1")
    second = threading.Thread(target=take, args=(lock_y, lock_x, both), name="f2")
    first.start()
    second.start()
    first.join()
