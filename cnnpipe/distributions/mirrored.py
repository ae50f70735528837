"""All devices of one machine, each with a copy of the network: TensorFlow's `MirroredStrategy`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.distributions import Distribution
from cnnpipe.errors import Problem, ProblemError

PATH = "training.distribution"
_CLIPPING = "Keras would clip the gradients of each device before they are added"


class Mirrored(Distribution):
    """`tf.distribute.MirroredStrategy`; BatchNorm takes its statistics from each device's part of a batch."""

    type: Literal["mirrored"] = "mirrored"
    one_step_per_call: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = {
        "clipnorm": _CLIPPING,
        "clipvalue": _CLIPPING,
        "global_clipnorm": _CLIPPING,
        "gradient_accumulation_steps": "Keras adds gradients up inside a branch, where devices cannot exchange them",
    }
    devices: int | None = Field(default=None, ge=2)
    """How many GPUs; all of them when left out. Where there is none, the processor is divided into so many devices,
    which makes nothing faster, and is there to try a recipe."""

    @property
    def parts(self) -> int | None:
        """The devices, as far as the recipe says how many."""
        return self.devices

    def scope(self) -> AbstractContextManager[object]:
        """Return the scope of the strategy. Raises `ProblemError` when the machine has fewer devices."""
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        wanted = self.devices or len(gpus)
        if wanted < 2 or 0 < len(gpus) < wanted:
            hint = (
                "Leave 'distribution' out." if gpus else "Leave 'distribution' out, or say how many 'devices' to try."
            )
            have = f"{len(gpus)} GPU{'s' * (len(gpus) != 1)}"
            raise ProblemError(
                Problem(f"'mirrored' needs several GPUs (this machine has {have})", path=PATH, hint=hint)
            )
        if not gpus:
            _divide_processor(wanted)
        scope: AbstractContextManager[object] = _strategy("GPU" if gpus else "CPU", wanted).scope()
        return scope


@cache
def _strategy(kind: str, devices: int) -> Any:
    """Return a strategy, the same one in all of a process: another would use its operations' numbers again."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([f"{kind}:{number}" for number in range(devices)])


def _divide_processor(devices: int) -> None:
    """Let TensorFlow see so many processors. Raises `ProblemError` when it has begun to use the one that it saw."""
    import tensorflow as tf

    (processor, *_) = tf.config.list_physical_devices("CPU")
    parts: list[Any] = [tf.config.LogicalDeviceConfiguration() for _ in range(devices)]
    if tf.config.get_logical_device_configuration(processor) == parts:
        return
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        hint = "Train in a process that has not used TensorFlow before."
        raise ProblemError(Problem("the processor cannot be divided any more", path=PATH, hint=hint)) from error
