"""The benchmarks can be run, count right, and say what they aim at; what they measure is not judged here."""

import asyncio
import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.behind import Lag, Look, lag, late, summary
from benchmarks.report import Aim, aim_rows, aims_table, number
from benchmarks.runs import Entry, Job, Line, bare, compared, in_pool, ours
from benchmarks.spent import split

NEEDS = {"observe": ["viztracer"], "peers": ["ipyparallel", "mpire", "tqdm", "viztracer"]}


def source(name: str) -> str:
    return (Path(command.__file__).parent / f"{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(command.LIMITS))
def test_a_benchmark_can_be_imported(name: str) -> None:
    missing = [peer for peer in NEEDS.get(name, []) if importlib.util.find_spec(peer) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: uv run --all-groups installs them")
    assert callable(importlib.import_module(f"benchmarks.{name}").main)


@pytest.mark.parametrize("name", sorted(command.LIMITS))
def test_a_benchmark_says_its_figures_its_command_and_its_machine(name: str) -> None:
    text = source(name)
    assert "print(aims_table(" in text or "aims_table(" in text.partition("def main")[2]
    assert f"-m benchmarks.{name}" in (text.split('"""', 2)[1])
    assert "machine()" in text


def test_the_whole_takes_no_longer_than_an_hour_even_if_all_hang() -> None:
    assert sum(command.LIMITS.values()) <= 3600


@pytest.mark.timeout(60)
def test_ours_and_the_bare_pool_give_all_results(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [Entry("bare", bare, tuned, "bare") for tuned in (True, False)]
    entries += [Entry("ours", ours, tuned, "bare") for tuned in (True, False)]
    lines = asyncio.run(compared(entries, [Job("tiny", 5, 10)], rounds=2))
    capsys.readouterr()
    assert [(line.name, line.tuned, len(line.ratios)) for line in lines] == [
        ("bare", True, 2),
        ("bare", False, 2),
        ("ours", True, 2),
        ("ours", False, 2),
    ]
    assert lines[0].ratios == [1.0, 1.0]
    assert all(ratio > 0 for line in lines for ratio in line.ratios)


@pytest.mark.timeout(60)
def test_a_run_that_loses_results_is_noticed() -> None:
    async def loses(case: object) -> list[int]:  # noqa: ARG001 - as all runs are
        return [1] * 4

    with pytest.raises(AssertionError, match="lost gave 4 of 5 results"):
        asyncio.run(compared([Entry("lost", loses, True, "lost")], [Job("tiny", 5, 10)], rounds=1))  # noqa: FBT003


@pytest.mark.timeout(60)
def test_our_bar_is_exact_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with in_pool(None) as pool:
        got = asyncio.run(lag(lambda case: ours(case, pool), 4, 1000, tasks=30))
    capsys.readouterr()
    assert got.at_end == 30


def test_how_far_a_bar_is_behind() -> None:
    looks = [Look(0.0, 0, 0), Look(1.0, 2, 0), Look(2.0, 4, 1), Look(3.0, 4, 2), Look(4.0, 4, 4)]
    assert late(looks) == [0, 0, 1, 1, 0]
    assert summary(looks, 4) == Lag(3, 7 / 5, 1, 4)


def test_where_the_time_of_a_run_goes() -> None:
    tasks = [(7, 1.1, 1.2), (8, 1.05, 1.3), (7, 1.2, 1.5), (8, 1.3, 1.35)]
    assert split(1.0, 0.02, 1.6, tasks) == pytest.approx([600, 50, 150, 20, 100])


def test_figures_are_read_back_from_what_a_benchmark_prints() -> None:
    figures = [Aim("one", 0.5, 1.0, "ms"), Aim("two", 12, 10.0), Aim("three", 3, None, "s")]
    printed = f"words\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{aims_table(figures)}\n\n| c |\n|---|\n| 3 |\n"
    assert list(aim_rows(printed)) == [
        "| one | 0.50 ms | ≤ 1 ms | met |",
        "| two | 12 | ≤ 10 | **missed** |",
        "| three | 3 s | | |",
    ]


def test_numbers_have_the_digits_they_deserve() -> None:
    assert [number(value) for value in (0.1264, 1.044, 12.46, 352.0, 99999.6)] == [
        "0.126",
        "1.04",
        "12.5",
        "352",
        "100,000",
    ]


def test_the_page_has_all_figures_first_and_names_what_failed() -> None:
    well = command.Printed("observe", f"text\n\n{aims_table([Aim('one', 1, 2.0)])}", well=True)
    text = command.page([well, command.Printed("lab", "**Failed:**", well=False)], "here")
    assert "| one | 1 | ≤ 2 | met | `uv run --all-groups python -m benchmarks.observe` |" in text
    assert "| lab | | | **failed**, see below |" in text
    assert text.index("| one |") < text.index("## observe") < text.index("## lab")


@pytest.mark.timeout(60)
def test_a_benchmark_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.LIMITS, "lab", 0.1)
    done = command.run("lab")
    assert not done.well
    assert "Not finished within 0.1 s" in done.text


def test_the_picture_is_drawn_in_both_colours() -> None:
    drawing = pytest.importorskip("benchmarks.peers_picture")
    bars = [("ours & more", 1.02), ("tqdm", 1.5)]
    for ink, paper in drawing.INKS.values():
        picture = ET.fromstring(drawing.drawn([("200 tasks", bars, "")], ink, paper))  # noqa: S314 - our own
        assert "ours & more" in "".join(picture.itertext())


def test_the_picture_leaves_out_what_the_rest_is_divided_by() -> None:
    drawing = pytest.importorskip("benchmarks.peers_picture")
    lines = [
        Line("a job", "`bare`", True, "`bare`", [1.0], [1.0]),  # noqa: FBT003
        Line("a job", "`slow`", True, "`bare`", [3.0], [3.0]),  # noqa: FBT003
        Line("a job", "`slow`", False, "`bare`", [2.0], [2.0]),  # noqa: FBT003
    ]
    assert drawing._times(lines, "a job") == [("slow", 2.0)]
