import threading

import pytest

from tests.observe.starting import until


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    # One that has done its work may not have been given a core yet to end on.
    until(lambda: set(threading.enumerate()) <= before, "the threads to end")
