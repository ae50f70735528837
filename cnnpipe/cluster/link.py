"""A connection to another process of a training, which notices when that process is gone."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cnnpipe.cluster import messages
from cnnpipe.cluster.alone import Message

if TYPE_CHECKING:
    import numpy as np

SIGN_OF_LIFE = 2.0
"""Seconds between signs of life."""
SILENCE = 60.0
"""Seconds without any after which a process counts as gone: its host lost power, or it hangs."""


class Gone(Exception):
    """The other process is gone; says how."""


class Link:
    """A connection with threads that read from it and give signs of life.

    Args:
        connection: The open connection.
        on_end: Called once, from a thread, when it ends without having been closed here.
    """

    def __init__(self, connection: socket.socket, on_end: Callable[[Link, str], None] = lambda link, why: None) -> None:
        self.host: str = connection.getpeername()[0]
        self.own_host: str = connection.getsockname()[0]
        self.on_end = on_end
        self._connection = connection
        self._inbox: queue.Queue[bytes | None] = queue.Queue()
        self._sending, self._closed = threading.Lock(), threading.Event()
        self._why = ""
        connection.settimeout(SILENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for work in (self._read, self._live):
            threading.Thread(target=work, daemon=True).start()

    def send(self, value: Any, arrays: Iterable[np.ndarray] = ()) -> None:
        """Send a message. Raises `Gone`."""
        try:
            with self._sending:
                messages.send(self._connection, messages.packed(value, arrays))
        except OSError as error:
            self._end(error)
            raise Gone(self._why) from error

    def receive(self) -> Message:
        """Wait for the next message. Raises `Gone`."""
        data = self._inbox.get()
        if data is None:
            self._inbox.put(None)  # for whoever asks next
            raise Gone(self._why)
        return messages.unpacked(data)

    def close(self) -> None:
        """End the connection."""
        self._closed.set()
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self) -> None:
        try:
            while True:
                if data := messages.receive(self._connection):
                    self._inbox.put(data)
        except OSError as error:
            self._end(error)

    def _live(self) -> None:
        while not self._closed.wait(SIGN_OF_LIFE):
            try:
                with self._sending:
                    messages.send(self._connection, b"")
            except OSError as error:
                self._end(error)

    def _end(self, error: OSError) -> None:
        closed_here = self._closed.is_set()
        self._closed.set()
        if not closed_here:
            silent = isinstance(error, TimeoutError)
            self._why = f"silent for {SILENCE:g} s" if silent else "its connection ended"
        self._inbox.put(None)
        if not closed_here:
            self.on_end(self, self._why)
