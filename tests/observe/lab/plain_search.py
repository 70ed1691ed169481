"""The slow and simple way to explore: every schedule run from its start, nothing merged."""

from itertools import pairwise

from helpers.observe.lab.stage import Stage


def all_endings(program, most):
    """Every schedule of `program` up to its end, with how it ends; none if there are more than `most`."""
    endings = {}
    waiting = [()]
    while waiting:
        schedule = waiting.pop()
        with Stage(program) as stage:
            for thread in schedule:
                stage.advance(thread)
            while stage.ending is None:
                first, *others = stage.ready
                waiting += [(*stage.steps, other) for other in others]
                stage.advance(first)
            endings[tuple(stage.steps)] = stage.ending
        if len(endings) + len(waiting) > most:
            return None
    return endings


def cost(schedule):
    """Its steps, then its switches between threads."""
    return len(schedule), sum(a != b for a, b in pairwise(schedule))
