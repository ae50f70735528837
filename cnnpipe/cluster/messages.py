"""Messages between processes: plain values as JSON and arrays as NumPy writes them. Nothing that could be run."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cnnpipe.cluster.alone import Message

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"CNNPIPE1"
LENGTH = 8


def send(connection: socket.socket, data: bytes) -> None:
    """Send what `packed` made; nothing is a sign of life."""
    connection.sendall(MAGIC + len(data).to_bytes(LENGTH, "little") + data)


def receive(connection: socket.socket) -> bytes:
    """Return the next data.

    Raises:
        OSError: The connection ended, was silent for too long, or is no such connection.
    """
    head = _exactly(connection, len(MAGIC) + LENGTH)
    if not head.startswith(MAGIC):
        raise ConnectionError("it does not speak like a worker")
    return _exactly(connection, int.from_bytes(head[len(MAGIC) :], "little"))


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts, left = [], size
    while left:
        part = connection.recv(min(left, 1 << 20))
        if not part:
            raise ConnectionError("it ended")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def packed(value: Any, arrays: Iterable[np.ndarray] = ()) -> bytes:
    """Return a message as bytes."""
    import numpy as np

    out = io.BytesIO()
    text = json.dumps(value).encode()
    out.write(len(text).to_bytes(LENGTH, "little") + text)
    for array in arrays:
        np.lib.format.write_array(out, np.asarray(array), allow_pickle=False)
    return out.getvalue()


def unpacked(data: bytes) -> Message:
    """Return the message that `packed` made bytes of. Raises `ValueError` when it is none."""
    import numpy as np

    size = LENGTH + int.from_bytes(data[:LENGTH], "little")
    stream, arrays = io.BytesIO(data[size:]), []
    while stream.tell() < len(data) - size:
        arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
    return json.loads(data[LENGTH:size]), arrays
