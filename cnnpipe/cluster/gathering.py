"""How the processes of a training find each other: the chief listens, the other workers join."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cnnpipe.cluster.link import Gone, Link
from cnnpipe.cluster.together import Together, WorkerLost
from cnnpipe.errors import Problem, ProblemError

LOCAL = "127.0.0.1:0"
"""This host only, at a port that is free."""
POLL_SECONDS = 0.2
CONNECT_SECONDS = 20


class Door:
    """Where a chief listens.

    Args:
        listener: The listening socket.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        listener.settimeout(POLL_SECONDS)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    @classmethod
    @contextmanager
    def open(cls, address: str) -> Iterator[Door]:
        """Listen for the time of the block.

        Raises:
            ProblemError: The address cannot be used.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            try:
                listener.bind(_parsed(address))
                listener.listen()
            except OSError as error:
                hint = "Another process may listen there; choose another port, or 0 for any."
                raise ProblemError(Problem(f"cannot listen at {address} ({error.strerror})", hint=hint)) from error
            yield cls(listener)

    def gather(
        self, size: int, greeting: Mapping[str, Any], check: Callable[[], None], how: Callable[[int], str]
    ) -> tuple[Together, list[str]]:
        """Wait until all workers are there, and tell them who they are.

        Args:
            size: How many workers there are, with this one.
            greeting: What they must know.
            check: Called while waiting; raises what must end the wait.
            how: As in `Together`.

        Returns:
            The cluster, and TensorFlow's address of each worker.
        """
        links: list[Link] = []
        ports: list[str] = []
        try:
            while len(links) < size - 1:
                check()
                try:
                    connection, _ = self._listener.accept()
                except TimeoutError:
                    continue
                link = Link(connection)
                try:
                    ports.append(f"{link.host}:{int(link.receive()[0]['port'])}")
                    links.append(link)
                except (Gone, ValueError, KeyError, TypeError):  # whoever it was, it was no worker
                    link.close()
            addresses = [f"{links[0].own_host}:{free_port()}", *ports]
            for index, link in enumerate(links, start=1):
                link.send({**greeting, "index": index, "size": size, "addresses": addresses})
        except Gone as gone:
            raise WorkerLost(Problem(f"a worker left before the training began ({gone})")) from gone
        return Together(0, links, size, how), addresses


def join(address: str) -> tuple[Together, Mapping[str, Any]]:
    """Become a worker of the chief at HOST:PORT; return the cluster and the chief's greeting.

    Raises:
        ProblemError: There is no chief, or it needs nobody else.
    """
    try:
        link = Link(socket.create_connection(_parsed(address), timeout=CONNECT_SECONDS))
        link.send({"port": free_port()})
        greeting, _ = link.receive()
    except OSError as error:
        hint = f"Start it there with: cnnpipe train RECIPE --workers N --listen {address}"
        raise ProblemError(Problem(f"no chief listens at {address} ({error.strerror})", hint=hint)) from error
    except Gone as gone:
        hint = "It may have all the workers that it wanted, or have been stopped."
        raise ProblemError(Problem(f"the chief at {address} sent this worker away", hint=hint)) from gone
    return Together(greeting["index"], [link], greeting["size"]), greeting


def free_port() -> int:
    """Return a port of this host that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ProblemError(Problem(f"expected HOST:PORT (received '{address}')"))
    return host, int(port)
