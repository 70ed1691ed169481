"""The same task in a module that imports NumPy, as many do."""

import numpy as np


def square(number: int) -> int:
    """A task that takes no time."""
    return int(np.square(number))
