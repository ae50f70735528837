"""Ctrl-C: the first is a wish to stop cleanly, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from cnnpipe.errors import ProblemError


class InterruptedRun(ProblemError):
    """The user stopped a run, which can go on later."""

    exit_code = 130


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed. Only the main thread hears of it."""
    wished = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wished.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: FrameType | None) -> None:
        wished.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, hear)
    try:
        yield wished.is_set
    finally:
        signal.signal(signal.SIGINT, before)
