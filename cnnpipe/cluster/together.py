"""A process that trains with others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnpipe.cluster import collectives
from cnnpipe.cluster.alone import Cluster, Message
from cnnpipe.cluster.link import Gone, Link
from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import keras
    import numpy as np

GENERATOR = "seed_generator_state"
STRIDE = 0x9E3779B9
"""Between the seeds of two workers' generators; any odd number that is no small one."""
FAILED = "failed"
NOTICED_SECONDS = 5


class WorkerLost(ProblemError):
    """A process of the training is gone; the training can go on later."""

    exit_code = 1


class Together(Cluster):
    """One of several processes.

    Args:
        index: The number of this worker.
        links: The connections: of the chief to each other worker, in order; of another worker to the chief.
        size: How many workers there are.
        how: Says how a worker of this host ended, as far as that is known; called with its number.
    """

    def __init__(
        self, index: int, links: Sequence[Link], size: int, how: Callable[[int], str] = lambda worker: ""
    ) -> None:
        super().__init__(index, size)
        self._links, self._how = links, how
        self._lost: tuple[int, str] | None = None
        self._ended = threading.Event()
        self._keys = 0
        self._connected = False
        for link in links:
            link.on_end = self._on_end

    def connect(self, addresses: Sequence[str]) -> None:
        """Connect TensorFlow with that of the other workers. Raises `ProblemError` when it is in use already."""
        collectives.connect(addresses, self.index)
        self._connected = True

    def gather(self, what: str, value: Any = None, arrays: Iterable[np.ndarray] = ()) -> list[Message]:
        """Return what all workers give at this point; see `Cluster`."""
        own: Message = (value, list(arrays))
        number = 0
        try:
            if not self.chief:
                self._links[0].send({"what": what, "value": value}, own[1])
                return _divided(self._links[0].receive())
            found = [own]
            for number, link in enumerate(self._links, start=1):
                found.append(_checked(number, link, what, link.receive()))
            for number, link in enumerate(self._links, start=1):  # noqa: B007  (who was it)
                link.send({"values": [v for v, _ in found], "counts": [len(a) for _, a in found]}, _all(found))
        except Gone as gone:
            self._lost = self._lost or (number, str(gone))
            raise self._loss() from gone
        return found

    def average_updates(self, model: keras.Model) -> None:
        """Let the optimizer of a compiled model use the average of all workers' gradients."""
        self._keys += 1
        collectives.average_updates(model, self.size, self._keys)

    def own_randomness(self, model: keras.Model) -> None:
        """Let the generators inside a model draw other numbers than those of other workers, from the chief's state."""
        import numpy as np

        for variable in model.variables:
            if variable.name == GENERATOR and self.index:
                seed, drawn = np.asarray(variable).tolist()
                variable.assign(np.array([(seed + self.index * STRIDE) % 2**31, drawn], variable.dtype))

    def explained(self, error: BaseException) -> BaseException:
        """Return what an error means: one of TensorFlow's may be that of a worker that is gone."""
        if isinstance(error, ProblemError):
            return error
        if type(error).__module__.startswith("tensorflow"):  # it may come before the connection's end is noticed
            self._ended.wait(NOTICED_SECONDS)
        return self._loss() if self._lost else error

    def fail(self, text: str) -> None:
        """Tell the chief why this worker cannot go on."""
        self._links[0].send({"what": FAILED, "value": text})

    def close(self) -> None:
        """End all connections."""
        for link in self._links:
            link.close()

    def _on_end(self, link: Link, why: str) -> None:
        self._lost = self._lost or ((self._links.index(link) + 1) if self.chief else 0, why)
        self._ended.set()
        if self._connected:
            collectives.abort(why)

    def _loss(self) -> WorkerLost:
        number, why = self._lost or (0, "")
        if not self.chief:
            return WorkerLost(Problem(f"the chief at {self._links[0].host} is gone ({why})"))
        how = self._how(number) or why
        return WorkerLost(Problem(f"worker {number} at {self._links[number - 1].host} is gone ({how})"))


def _checked(number: int, link: Link, what: str, message: Message) -> Message:
    header, arrays = message
    if header["what"] == FAILED:
        raise ProblemError(Problem(f"worker {number} at {link.host} cannot take part: {header['value']}"))
    if header["what"] != what:
        raise RuntimeError(f"worker {number} is at '{header['what']}', and the chief at '{what}'")
    return header["value"], arrays


def _all(found: Sequence[Message]) -> list[np.ndarray]:
    return [array for _, arrays in found for array in arrays]


def _divided(message: Message) -> list[Message]:
    header: Mapping[str, Any] = message[0]
    left = iter(message[1])
    return [
        (value, [next(left) for _ in range(count)])
        for value, count in zip(header["values"], header["counts"], strict=True)
    ]
