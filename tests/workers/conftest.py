from tests.observe.starting import plain_main

__all__ = ["plain_main"]
