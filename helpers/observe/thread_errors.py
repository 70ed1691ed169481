"""Remember the exceptions that end threads."""

import threading
from collections.abc import Callable
from weakref import WeakKeyDictionary


class ThreadErrors:
    """Remembers the exceptions that end threads while it is watching.

    Args:
        quiet: of which threads the exception is not printed as well; of none, if not given.
        tell: called, in the thread itself, when one of these has failed.
    """

    def __init__(
        self,
        quiet: Callable[[threading.Thread], bool] = lambda _: False,
        tell: Callable[[], object] = lambda: None,
    ) -> None:
        self._said: WeakKeyDictionary[threading.Thread, BaseException | None] = WeakKeyDictionary()
        self._words: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()
        self._quiet, self._tell = quiet, tell
        self._closed = False
        self._before = threading.excepthook
        threading.excepthook = self._remember

    def of(self, thread: threading.Thread) -> str | None:
        """The exception that ended `thread`, in words; None if none did."""
        return self._words.get(thread)

    def exception_of(self, thread: threading.Thread) -> BaseException | None:
        """The exception that ended `thread`; None if none did."""
        return self._said.get(thread)

    def close(self) -> None:
        """Stop watching."""
        self._closed = True
        # Two that watch at the same time may stop in either order: the last one out puts everything back.
        hook = threading.excepthook
        while isinstance(owner := getattr(hook, "__self__", None), ThreadErrors) and owner._closed:  # noqa: SLF001 (ours)
            hook = threading.excepthook = owner._before  # noqa: SLF001 (ours)

    def _remember(self, args: threading.ExceptHookArgs) -> None:
        thread = args.thread
        if thread is not None and not issubclass(args.exc_type, SystemExit):  # sys.exit() just ends a thread
            self._words[thread] = described_error(args.exc_type, args.exc_value)
            self._said[thread] = args.exc_value
        if thread is None or self._closed or not self._quiet(thread):
            self._before(args)
        else:
            self._tell()


def described_error(kind: type[BaseException], error: BaseException | None) -> str:
    """An exception as the last line of its traceback has it."""
    return f"{kind.__name__}: {error}" if error is not None and str(error) else kind.__name__
