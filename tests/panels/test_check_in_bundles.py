"""Right answers pass, and each likely wrong one gets its hint."""

from collections.abc import Callable
from concurrent.futures import Executor, as_completed
from itertools import repeat
from typing import Any

import pytest

from helpers.panels.check_in_bundles import check_in_bundles
from helpers.workers.anywhere import call_each, increment

pytestmark = pytest.mark.usefixtures("left_as_found")


def bundles(items: Any, size: int) -> list[list[int]]:
    items = list(items)
    return [items[at : at + size] for at in range(0, len(items), size)]


def flat(parts: Any) -> list[int]:
    return [result for part in parts for result in part]


def by_map(pool: Executor, function: Any, items: Any, size: int) -> list[int]:
    return flat(pool.map(call_each, repeat(function), bundles(items, size)))


def by_submit(pool: Executor, function: Any, items: Any, size: int) -> list[int]:
    futures = [pool.submit(call_each, function, bundle) for bundle in bundles(items, size)]
    return flat(future.result() for future in futures)


@pytest.mark.parametrize("right", [by_map, by_submit])
def test_right_answers_pass(right: Callable[..., Any]) -> None:
    verdict = check_in_bundles(right, increment)
    assert verdict.good, verdict
    assert len(verdict.lines) == 5


def nothing_back(pool: Executor, function: Any, items: Any, size: int) -> None:
    by_map(pool, function, items, size)


def a_generator(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return (result for part in pool.map(call_each, repeat(function), bundles(items, size)) for result in part)


def the_futures(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return [pool.submit(call_each, function, bundle) for bundle in bundles(items, size)]


def nested(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return list(pool.map(call_each, repeat(function), bundles(items, size)))


def as_they_come(pool: Executor, function: Any, items: Any, size: int) -> Any:
    futures = [pool.submit(call_each, function, bundle) for bundle in bundles(items, size)]
    return flat(future.result() for future in as_completed(futures))


def without_the_rest(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return flat(
        pool.map(call_each, repeat(function), [bundle for bundle in bundles(items, size) if len(bundle) == size])
    )


def the_items(_pool: Executor, _function: Any, items: Any, size: int) -> Any:
    return flat(bundles(items, size))


def sliced(pool: Executor, function: Any, items: Any, size: int) -> Any:
    parts = [items[at : at + size] for at in range(0, len(items), size)]
    return flat(pool.map(call_each, repeat(function), parts))


def without_the_pool(_pool: Executor, function: Any, items: Any, _size: int) -> Any:
    return call_each(function, items)


def item_by_item(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return list(pool.map(function, items, chunksize=size))


def too_many(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return by_map(pool, function, items, size // 2)


def one_at_a_time(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return flat(pool.submit(call_each, function, bundle).result() for bundle in bundles(items, size))


def by_lambda(pool: Executor, function: Any, items: Any, size: int) -> Any:
    return flat(pool.map(lambda bundle: [function(item) for item in bundle], bundles(items, size)))


def ends_the_pool(pool: Executor, function: Any, items: Any, size: int) -> Any:
    with pool:
        return by_map(pool, function, items, size)


def fails(*_: object) -> Any:
    raise KeyError("bundle")


def stub(pool: Executor, function: Any, items: Any, size: int) -> Any: ...


WRONG = {
    stub: "does nothing yet",
    nothing_back: "does it end with return",
    a_generator: "of type generator",
    the_futures: "the promise of a result",
    nested: "put the results of all bundles into one list",
    as_they_come: "in the wrong order",
    without_the_rest: "Only the first 8 of 10",
    the_items: "The results should be [1, 2,",
    sliced: "begin with list(items)",
    without_the_pool: "Nothing was handed to the pool",
    item_by_item: "Each item became a task of its own",
    too_many: "are 3 tasks; yours were 5",
    one_at_a_time: "waited for before the next was handed in",
    by_lambda: "must stand in a module",
    ends_the_pool: "Whoever made it ends it",
    fails: "raised KeyError",
}


@pytest.mark.parametrize(("wrong", "hint"), WRONG.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_wrong_answers_get_a_hint(wrong: Callable[..., Any], hint: str, capfd: pytest.CaptureFixture[str]) -> None:
    verdict = check_in_bundles(wrong, increment)
    assert not verdict.good
    assert hint in repr(verdict)
    assert "Traceback" not in repr(verdict)
    assert capfd.readouterr() == ("", "")


def test_a_function_of_a_cell_gets_a_hint_under_every_start_method(monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def each(function, bundle):\n    return [function(item) for item in bundle]", space)  # noqa: S102
    import __main__  # noqa: PLC0415

    monkeypatch.setattr(__main__, "each", space["each"], raising=False)

    def by_own(pool: Executor, function: Any, items: Any, size: int) -> Any:
        return flat(pool.map(space["each"], repeat(function), bundles(items, size)))

    assert "must stand in a module" in repr(check_in_bundles(by_own, increment))
