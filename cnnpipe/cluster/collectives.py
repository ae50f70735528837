"""TensorFlow's collective operations between processes: every gradient becomes the average of all workers'.

`tf.distribute.MultiWorkerMirroredStrategy` is built on the same operations and connects processes by public functions.
But Keras's `fit` fails inside of it, and with its coordination service a process whose peer was killed waits for ever.
So processes are connected as that class does it, and when one is gone TensorFlow is asked to end what waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import keras

GROUP = 1
LEADER = "/job:worker/replica:0/task:0"


def connect(addresses: Sequence[str], index: int) -> None:
    """Make this process a worker of a cluster, once in its life and before TensorFlow is used for anything else.

    Args:
        addresses: HOST:PORT of each worker, in order; TensorFlow listens on that port on all interfaces.
        index: The number of this one.

    Raises:
        ProblemError: TensorFlow is in use already.
    """
    import tensorflow as tf

    context = _context()
    try:
        if context._context_handle is not None:
            raise RuntimeError("the context is there")
        context.configure_collective_ops(
            collective_leader=LEADER, device_filters=(f"/job:worker/replica:0/task:{index}",)
        )
    except RuntimeError as error:
        raise ProblemError(Problem(
            "this process has used TensorFlow already, and workers must be connected before",
            hint="Train with several workers by the command, or in a process of its own.",
        )) from error  # fmt: skip
    cluster = tf.train.ClusterSpec({"worker": list(addresses)}).as_cluster_def()
    context.enable_collective_ops(
        tf.train.ServerDef(
            cluster=cluster, job_name="worker", task_index=index, protocol="grpc", default_session_config=context.config
        )
    )


def abort(reason: str) -> None:
    """End all collective operations of this process, those that wait and those that come, with an error."""
    import tensorflow as tf

    with suppress(tf.errors.OpError):
        _context().abort_collective_ops(tf.errors.UNAVAILABLE, reason)


def average_updates(model: keras.Model, size: int, key: int) -> None:
    """Let the optimizer of a compiled model use averages over all workers, also of statistics such as BatchNorm's.

    Args:
        model: The compiled model.
        size: Number of workers.
        key: A number that no earlier call had, the same on all workers.
    """
    statistics = _statistics(model)
    apply = model.optimizer.apply

    def averaged(gradients: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> Any:
        there = [gradient for gradient in gradients if gradient is not None]
        averages = _averages([*there, *(variable.value for variable in statistics)], size, key)
        for variable, value in zip(statistics, averages[len(there) :], strict=True):
            variable.assign(value)
        left = iter(averages)
        every = [None if gradient is None else next(left) for gradient in gradients]
        return apply(every, trainable_variables)

    model.optimizer.apply = averaged


def _averages(tensors: Sequence[Any], size: int, key: int) -> list[Any]:
    """Return the averages of tensors over all workers; they travel as one, so that there is one wait in a step."""
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
    flat = tf.concat([tf.cast(tf.reshape(tensor, [-1]), "float32") for tensor in tensors], 0)
    average = tf.raw_ops.CollectiveReduceV2(
        input=flat, group_size=size, group_key=GROUP, instance_key=key, ordering_token=[], merge_op="Add",
        final_op="Div", communication_hint="auto",
    )  # fmt: skip
    parts = tf.split(average, [tensor.shape.num_elements() for tensor in tensors])
    return [tf.cast(tf.reshape(part, t.shape), t.dtype) for part, t in zip(parts, tensors, strict=True)]


def _statistics(model: keras.Model) -> list[Any]:
    """Return the variables that learning layers change outside of the optimizer, but for generators' states."""
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer.trainable and not layer._layers]
    found = {id(v): v for layer in layers for v in layer.non_trainable_variables if v.dtype.startswith("float")}
    return list(found.values())


def _context() -> Any:
    from tensorflow.python.eager import context

    return context.context()
