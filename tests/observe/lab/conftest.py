import threading

import pytest


@pytest.fixture
def threads_stay():
    """For tests of threads that cannot be ended."""


@pytest.fixture(autouse=True)
def _no_thread_is_left(request):
    before = set(threading.enumerate())
    yield
    if "threads_stay" not in request.fixturenames:
        assert set(threading.enumerate()) <= before
