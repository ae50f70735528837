"""The processes of a training: those of this host are started here, those of others join."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cnnpipe.child import Child
from cnnpipe.cluster import ALONE, LOCAL, Cluster, Door
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.resolved import resolved_yaml
from cnnpipe.registry import plugin_folders
from cnnpipe.runs import versions

DISTRIBUTION = "training.distribution"
FUNCTION = "cnnpipe.jobs.join.join_here"
KNOWN_SECONDS = 5
"""How long to wait for what a process says of its end."""


def with_workers(overrides: Sequence[str], workers: int | None) -> tuple[str, ...]:
    """Return changes of a recipe with the number of workers among them; None leaves the recipe's."""
    if workers is None:
        return tuple(overrides)
    value = f"{{type: multi_worker, workers: {workers}}}" if workers > 1 else "null"
    return (*overrides, f"{DISTRIBUTION}={value}")


@contextmanager
def gathered(
    loaded: LoadedRecipe, listener: Listener, runs_folder: str | Path, listen: str | None = None
) -> Iterator[Cluster]:
    """Start the workers that a recipe asks for, or wait for them, and give the cluster; they end with the block.

    Args:
        loaded: The recipe.
        listener: Hears who is waited for.
        runs_folder: Where workers of this host find features of frozen layers.
        listen: HOST:PORT where workers join that are started elsewhere; None to start them here.

    Raises:
        ProblemError: The address cannot be used, or workers cannot be connected.
    """
    size = processes(loaded)
    if size == 1:
        if listen:
            hint = "Say how many take part, with --workers, or in 'training.distribution'."
            raise ProblemError(Problem("a training in one process waits for nobody", hint=hint))
        yield ALONE
        return
    from cnnpipe.quiet import quiet_tensorflow

    with Door.open(listen or LOCAL) as door, ExitStack() as stack:
        calls: list[Future[object]] = []
        if listen:
            listener.note(f"Waiting for {size - 1} to join: cnnpipe train --join {door.address}")
        else:
            calls = [_started(stack, door.address, runs_folder) for _ in range(size - 1)]
        batch = loaded.recipe.training.batch_size
        listener.note(f"Each batch of {batch} is divided among {size} processes, {batch // size} examples to each")
        greeting = {"recipe": resolved_yaml(loaded), "name": loaded.name, "versions": versions()}
        cluster, addresses = door.gather(size, greeting, lambda: _raise_first(calls), lambda _: _first_end(calls))
        stack.enter_context(closing(cluster))
        quiet_tensorflow()
        cluster.connect(addresses)
        yield cluster


def processes(loaded: LoadedRecipe) -> int:
    """Return how many processes the training of a recipe takes."""
    distribution = loaded.recipe.training.distribution
    return (distribution.parts or 1) if distribution and distribution.processes else 1


def _started(stack: ExitStack, address: str, runs_folder: str | Path) -> Future[object]:
    """Start a worker on this host, which ends with the stack."""
    pool = stack.enter_context(ThreadPoolExecutor(1))
    child = stack.enter_context(Child("its process", plugin_folders()))
    call: Callable[..., object] = child.call
    return pool.submit(call, FUNCTION, address, str(Path(runs_folder).resolve()), timeout=threading.TIMEOUT_MAX)


def _raise_first(calls: Sequence[Future[object]]) -> None:
    """Raise the error of a worker that has ended already."""
    for call in calls:
        if call.done() and (error := call.exception()):
            raise error


def _first_end(calls: Sequence[Future[object]]) -> str:
    """Return how the first worker of this host ended, or nothing where none has."""
    done, _ = wait(calls, KNOWN_SECONDS, FIRST_COMPLETED) if calls else (set(), set())
    for error in (call.exception() for call in done):
        if isinstance(error, ProblemError):
            return error.problems[0].message.replace(f" in {FUNCTION}", "")
    return ""
