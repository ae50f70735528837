"""What processes that train together must have alike: the state that they begin with, numbers, wishes, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnpipe.cluster import Cluster
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.runs import Run
from cnnpipe.training.checkpoints import GROUPS, Checkpoint, assign, copies
from cnnpipe.training.progress import Progress

if TYPE_CHECKING:
    import keras

TOLERANCE = 1e-3
"""By how much, relatively, the weights of workers may differ: unlike processors round unlike."""


def shared_state(cluster: Cluster, network: keras.Model, saved: Checkpoint | None, run: Run) -> Checkpoint | None:
    """Give all workers the chief's network, or the state from which it goes on; return that state.

    Args:
        cluster: The workers.
        network: The network of this one.
        saved: The chief's last state, None when it begins, and on other workers.
        run: The run.
    """
    if cluster.size == 1:
        return saved
    groups = [list(getattr(saved, kind)) for kind in GROUPS] if saved else [copies(network.variables)]
    about = {"progress": saved.progress.as_json() if saved else None, "counts": [len(group) for group in groups]}
    about, arrays = cluster.gather("state", about, [array for group in groups for array in group])[0]
    if about["progress"] is None:
        assign(network.variables, arrays, run)
        cluster.own_randomness(network)
        return None
    left = iter(arrays)
    found = {kind: [next(left) for _ in range(count)] for kind, count in zip(GROUPS, about["counts"], strict=True)}
    return saved or Checkpoint(Progress.from_json(about["progress"]), **found)


def shared_values(cluster: Cluster, part: keras.Model, logs: Mapping[str, Any]) -> dict[str, float]:
    """Return what `fit` measured of all workers' parts of the batches so far; the sums of metrics become averages.

    Metrics are quotients of sums, so that averages of these sums, over workers with equally many examples, say the same
    as the sums of one process.
    """
    values = {name: float(value) for name, value in logs.items()}
    if cluster.size == 1:
        return values
    found = cluster.gather("values", values, copies(part.metrics_variables))
    values = {name: float(np.mean([said[name] for said, _ in found])) for name in values}
    for variable, *arrays in zip(part.metrics_variables, *(arrays for _, arrays in found), strict=True):
        variable.assign(np.mean(arrays, axis=0).astype(variable.dtype))
    whole = part.get_metrics_result()
    return {name: float(whole.get(name, value)) for name, value in values.items()}


def wishes(cluster: Cluster, *wished: bool) -> tuple[bool, ...]:
    """Return what any worker wishes: all of them must do it at the same step."""
    if cluster.size == 1:
        return wished
    found = [said for said, _ in cluster.gather("wishes", list(wished))]
    return tuple(any(one) for one in zip(*found, strict=True))


def check_weights(cluster: Cluster, network: keras.Model, epoch: int) -> None:
    """Refuse workers whose networks became different ones.

    Raises:
        ProblemError: Something changes weights that the average of gradients does not reach.
    """
    if cluster.size == 1:
        return
    weights = [variable for variable in network.variables if variable.dtype.startswith("float")]
    sizes = np.array([np.abs(np.asarray(variable, np.float64)).sum() for variable in weights])
    found: Sequence[np.ndarray] = [arrays[0] for _, arrays in cluster.gather("weights", None, [sizes])]
    for worker, other in enumerate(found):
        if not np.allclose(other, found[0], rtol=TOLERANCE, atol=TOLERANCE):
            raise ProblemError(Problem(
                f"after epoch {epoch} worker {worker} has other weights than the chief: this training changes weights "
                "outside of its model's optimizer",
                path="training.distribution",
                hint="Train it in one process: leave 'distribution' out.",
            ))  # fmt: skip
