"""Lesson 14's exercise: fetch many pages at once, but not too many, and keep what has come when time is up."""

from collections.abc import Mapping
from typing import Final

from helpers.observe.fetch_trials import Trial, page, try_fetch_all
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.sandbox import Outcome, run_in_sandbox

# Seconds: until an answer is cancelled; until its process is ended, if that did not help. The guard has 10.
_PATIENCE: Final = 5.0
_LIMIT: Final = 7.0
_LONG: Final = 60.0
_EASY: Final = {f"/{number}": 0.02 * number for number in (3, 1, 4, 2)}
_MANY: Final = {f"/{number}": 0.02 for number in range(12)}
_AT_MOST: Final = 3
_QUICK: Final = dict.fromkeys(("/quick", "/quicker", "/quickest"), 0.01)
_SLOW: Final = {**_QUICK, **dict.fromkeys(("/slow", "/slower", "/too late", "/far too late"), 300.0)}
_TWO: Final = 2  # at once; so while the first slow pages are waited for, none of the late ones is begun
# Seconds; the second try is for a machine so busy that quick pages were late.
_TIME_LIMITS: Final = (0.4, 3.0)


class _NoTrialError(Exception):
    """The function did not come so far; says what to think about."""


def _tried(answer: Answer, delays: Mapping[str, float], at_most: int, limit: float) -> Trial:
    outcome = run_in_sandbox(try_fetch_all, answer, dict(delays), at_most, limit, _PATIENCE, limit=_LIMIT)
    if outcome.kind != "finished":
        raise _NoTrialError(_went_wrong(outcome))
    trial: Trial = outcome.value
    if trial.error.startswith("TimeoutError"):
        raise _NoTrialError(
            "Your function raised TimeoutError: catch it around the `async with`, and give back what has come."
        )
    if trial.error:
        raise _NoTrialError(f"Your function raised {trial.error}.")
    if "never awaited" in outcome.output:
        raise _NoTrialError("Somewhere a coroutine is made and never awaited: is there an await before each call?")
    return trial


def _went_wrong(outcome: Outcome) -> str:
    if outcome.kind == "out of time":
        return "Your function blocks the event loop, and had to be ended: does it wait anywhere without an await?"
    if outcome.kind == "failed":
        return f"Your function raised {outcome.error}."
    return f"Your function ended its process: {outcome.exitcode}."


def _all_come(answer: Answer) -> str | None:
    trial = _tried(answer, _EASY, len(_EASY), _LONG)
    if trial.gave_up:
        return (
            f"Four pages come within a second, and your function had not come back after {_PATIENCE:g}: what waits?"
        )
    return _wrong(trial, list(_EASY)) or _several(trial)


def _wrong(trial: Trial, urls: list[str]) -> str | None:
    if trial.kind == "NoneType":
        return "Your function gives back None: does it end with return?"
    if trial.kind != "dict":
        return f"A dict is asked for, from each address to its page; this is of type {trial.kind}."
    if promises := sorted({text for text in trial.pages.values() if text.startswith("<")}):
        return f"The dict holds something else than pages, {promises[0]}: await each fetch, or ask a task's result()."
    if missing := [url for url in urls if url not in trial.pages]:
        return f"{len(missing)} of {len(urls)} pages are not in the dict: wait for all of them before you return."
    if strange := [url for url in trial.pages if trial.pages[url] != page(url)]:
        return f"The page under {strange[0]} is that of another address: which answer belongs to which?"
    return None


def _several(trial: Trial) -> str | None:
    if most := max(trial.calls.values(), default=0) - 1:
        return f"Each page should be fetched once; one of them was fetched {most + 1} times."
    if trial.most_at_once < 2:
        return "One page was fetched after the other: make a task for each, as group.create_task() does."
    return None


def _not_too_many(answer: Answer) -> str | None:
    trial = _tried(answer, _MANY, _AT_MOST, _LONG)
    if trial.most_at_once > _AT_MOST:
        return (
            f"{_AT_MOST} at once were allowed, and {trial.most_at_once} fetches were under way: let each wait for a "
            f"semaphore, `async with gate:`, and make one semaphore for all."
        )
    if trial.gave_up:
        return f"With {_AT_MOST} at once your function never came back: does each fetch let go of the semaphore?"
    return _wrong(trial, list(_MANY)) or _several(trial)


def _in_time(answer: Answer) -> str | None:
    trial = _tried(answer, _SLOW, _TWO, _TIME_LIMITS[0])
    if trial.kind == "dict" and not set(trial.pages) >= set(_QUICK):
        trial = _tried(answer, _SLOW, _TWO, _TIME_LIMITS[1])
    if trial.gave_up:
        return f"It was told to give up sooner, and had not come back after {_PATIENCE:g} seconds: asyncio.timeout()."
    return _wrong_when_time_is_up(trial)


def _wrong_when_time_is_up(trial: Trial) -> str | None:
    if trial.kind == "dict" and not trial.pages:
        return (
            "Three pages had come when time was up, and your function gave back none of them: "
            "store each where it is not lost with its task, as soon as it comes."
        )
    if trial.kind == "dict" and set(trial.pages) > set(_QUICK):
        return "Time was up before the slow pages came, and yet they are in the dict."
    if trial.calls.keys() & {"/too late", "/far too late"}:
        return "When time was up it began new fetches: the limit is for all pages together, not for each."
    if hint := _wrong(trial, list(_QUICK)):
        return f"When time is up: {hint}"
    if trial.left:
        return (
            f"{trial.left} fetches were still under way when your function came back. Cancel them, and then await "
            "them: `cancel()` only asks."
        )
    return None


def _hinted(trial: Answer) -> Answer:
    def hint(answer: Answer) -> str | None:
        try:
            found: str | None = trial(answer)
        except _NoTrialError as reason:
            return str(reason)
        return found

    return hint


check_fetch_all: Final = Exercise(
    Property("all pages come back, by their addresses, and are waited for side by side", _hinted(_all_come)),
    Property(f"with {_AT_MOST} at once allowed, there were never more", _hinted(_not_too_many)),
    Property("when time is up, what has come is kept, and nothing is still under way", _hinted(_in_time)),
    asynchronous=True,
)
