"""A task in a module that imports nothing."""


def square(number: int) -> int:
    """A task that takes no time."""
    return number * number
