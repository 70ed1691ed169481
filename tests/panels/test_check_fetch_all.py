"""Lesson 14's exercise: right answers pass, and each usual mistake gets a hint of its own."""
# ruff: noqa: ARG001, ARG005, ASYNC251, RUF006, SIM105 (mistakes are made on purpose, and right answers as a learner writes them)

import asyncio
import sys
import time

import pytest

from helpers.panels import check_fetch_all as module
from helpers.panels.check_fetch_all import check_fetch_all
from helpers.panels.sandbox import Outcome

pytestmark = pytest.mark.usefixtures("left_as_found")


async def with_a_group(fetch, urls, at_most, limit):
    pages, gate = {}, asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            pages[url] = await fetch(url)

    try:
        async with asyncio.timeout(limit), asyncio.TaskGroup() as group:
            for url in urls:
                group.create_task(get_one(url))
    except TimeoutError:
        pass
    return pages


async def with_wait(fetch, urls, at_most, limit):
    gate = asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            return await fetch(url)

    tasks = {asyncio.create_task(get_one(url)): url for url in urls}
    done, pending = await asyncio.wait(tasks, timeout=limit)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return {tasks[task]: task.result() for task in done}


async def with_a_queue(fetch, urls, at_most, limit):
    pages, left = {}, list(reversed(urls))

    async def take():
        while left:
            url = left.pop()
            pages[url] = await fetch(url)

    try:
        await asyncio.wait_for(asyncio.gather(*(take() for _ in range(at_most))), limit)
    except TimeoutError:
        pass
    return pages


def run_here(function, *args, limit):
    """Do what a sandbox does with an answer that means no harm, in less time."""
    return Outcome("finished", function(*args))


@pytest.mark.parametrize("answer", [with_a_group, with_wait, with_a_queue])
def test_right(answer, monkeypatch):
    if answer is not with_a_group:
        monkeypatch.setattr(module, "run_in_sandbox", run_here)
    verdict = check_fetch_all(answer)
    assert verdict.good, verdict
    assert len(verdict.lines) == 3


def test_a_plain_function_and_a_stub_are_told_first():
    async def stub(fetch, urls, at_most, limit): ...

    assert "async def" in check_fetch_all(lambda fetch, urls, at_most, limit: {}).lines[0]
    assert "write its body" in check_fetch_all(stub).lines[0]


async def returns_nothing(fetch, urls, at_most, limit):
    await asyncio.gather(*(fetch(url) for url in urls))


async def gives_a_list(fetch, urls, at_most, limit):
    return await asyncio.gather(*(fetch(url) for url in urls))


async def gives_coroutines(fetch, urls, at_most, limit):
    return {url: fetch(url) for url in urls}


async def gives_tasks(fetch, urls, at_most, limit):
    return {url: asyncio.create_task(fetch(url)) for url in urls}


async def one_by_one(fetch, urls, at_most, limit):
    return {url: await fetch(url) for url in urls}


async def does_not_wait(fetch, urls, at_most, limit):
    pages = {}

    async def get_one(url):
        pages[url] = await fetch(url)

    for url in urls:
        asyncio.create_task(get_one(url))
    return pages


async def mixes_them_up(fetch, urls, at_most, limit):
    pages = [await each for each in asyncio.as_completed([fetch(url) for url in urls])]
    return dict(zip(urls, pages, strict=True))


async def fetches_twice(fetch, urls, at_most, limit):
    await asyncio.gather(*(fetch(url) for url in urls))
    return await with_a_group(fetch, urls, at_most, limit)


async def runs_a_loop(fetch, urls, at_most, limit):
    return asyncio.run(asyncio.sleep(0, {}))


async def blocks(fetch, urls, at_most, limit):
    time.sleep(600)


async def computes_for_ever(fetch, urls, at_most, limit):
    task = asyncio.create_task(fetch(urls[0]))
    while not task.done():
        pass


async def leaves(fetch, urls, at_most, limit):
    sys.exit(3)


async def waits_for_ever(fetch, urls, at_most, limit):
    await asyncio.Event().wait()


async def makes_no_use_of_await(fetch, urls, at_most, limit):
    fetch(urls[0])
    return await with_a_group(fetch, urls, at_most, limit)


async def all_at_once(fetch, urls, at_most, limit):
    return await with_a_group(fetch, urls, len(urls), limit)


async def a_gate_each(fetch, urls, at_most, limit):
    async def get_one(url):
        async with asyncio.Semaphore(at_most):
            return await fetch(url)

    return dict(zip(urls, await asyncio.gather(*map(get_one, urls)), strict=True))


async def keeps_the_gate(fetch, urls, at_most, limit):
    gate = asyncio.Semaphore(at_most)

    async def get_one(url):
        await gate.acquire()
        return await fetch(url)

    return dict(zip(urls, await asyncio.gather(*map(get_one, urls)), strict=True))


async def gated(fetch, urls, at_most):
    gate = asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            return await fetch(url)

    return dict(zip(urls, await asyncio.gather(*map(get_one, urls)), strict=True))


async def has_no_limit(fetch, urls, at_most, limit):
    return await gated(fetch, urls, at_most)


async def lets_the_timeout_out(fetch, urls, at_most, limit):
    async with asyncio.timeout(limit):
        return await gated(fetch, urls, at_most)


async def loses_what_came(fetch, urls, at_most, limit):
    try:
        return await asyncio.wait_for(gated(fetch, urls, at_most), limit)
    except TimeoutError:
        return {}


async def leaves_tasks(fetch, urls, at_most, limit):
    gate = asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            return await fetch(url)

    tasks = {asyncio.create_task(get_one(url)): url for url in urls}
    done, _ = await asyncio.wait(tasks, timeout=limit)
    return {tasks[task]: task.result() for task in done}


async def only_asks(fetch, urls, at_most, limit):
    gate = asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            return await fetch(url)

    tasks = {asyncio.create_task(get_one(url)): url for url in urls}
    done, pending = await asyncio.wait(tasks, timeout=limit)
    for task in pending:
        task.cancel()
    return {tasks[task]: task.result() for task in done}


async def a_limit_each(fetch, urls, at_most, limit):
    pages, gate = {}, asyncio.Semaphore(at_most)

    async def get_one(url):
        async with gate:
            try:
                pages[url] = await asyncio.wait_for(fetch(url), limit)
            except TimeoutError:
                pass

    await asyncio.gather(*map(get_one, urls))
    return pages


async def fills_up(fetch, urls, at_most, limit):
    return dict.fromkeys(urls, None) | await with_a_group(fetch, urls, at_most, limit)


MISTAKES = {
    returns_nothing: "does it end with return",
    gives_a_list: "A dict is asked for",
    gives_coroutines: "<coroutine>: await each fetch",
    gives_tasks: "<Task>: await each fetch",
    one_by_one: "fetched after the other",
    does_not_wait: "4 of 4 pages are not in the dict",
    mixes_them_up: "that of another address",
    fetches_twice: "was fetched 2 times",
    runs_a_loop: "raised RuntimeError: asyncio.run()",
    blocks: "blocks the event loop",
    computes_for_ever: "blocks the event loop",
    leaves: "ended its process: exit code 3",
    waits_for_ever: "had not come back",
    makes_no_use_of_await: "never awaited",
    all_at_once: "12 fetches were under way",
    a_gate_each: "12 fetches were under way",
    keeps_the_gate: "let go of the semaphore",
    has_no_limit: "told to give up sooner",
    lets_the_timeout_out: "raised TimeoutError: catch it",
    loses_what_came: "gave back none of them",
    leaves_tasks: "2 fetches were still under way",
    only_asks: "and then await them",
    a_limit_each: "not for each",
    fills_up: "yet they are in the dict",
}


HARMFUL = {runs_a_loop, blocks, computes_for_ever, leaves, makes_no_use_of_await}


@pytest.mark.parametrize("answer", MISTAKES, ids=lambda answer: answer.__name__)
def test_mistakes(answer, monkeypatch):
    if answer not in HARMFUL:
        monkeypatch.setattr(module, "run_in_sandbox", run_here)
    monkeypatch.setattr(module, "_PATIENCE", 1.5)
    monkeypatch.setattr(module, "_LIMIT", 2.0)
    monkeypatch.setattr(module, "_TIME_LIMITS", (0.4, 0.8))
    verdict = check_fetch_all(answer)
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    assert MISTAKES[answer] in verdict.lines[-1]
