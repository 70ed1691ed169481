"""What the tests of load share with the panels': they leave the process as they found it."""

from tests.panels.conftest import left_as_found, plain_main

__all__ = ["left_as_found", "plain_main"]
