"""The two child processes of an export, and the functions that run in them."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from cnnpipe import litert_metadata
from cnnpipe.child import Child
from cnnpipe.exporters import (
    CALIBRATED,
    Conversion,
    Delegation,
    Exporter,
    FileFacts,
    Granularity,
    Quantization,
    TensorError,
    TensorType,
)
from cnnpipe.graph.ordering import original_name
from cnnpipe.litert_metadata import Metadata
from cnnpipe.registry import plugin_folders, room

if TYPE_CHECKING:
    import numpy as np

CONVERSION_SECONDS = 900.0
"""Longest time for one conversion, the start of TensorFlow included."""
RUNTIME_SECONDS = 300.0
"""Longest time for one call of a file's runtime, on at most `CALL_BYTES` of inputs."""
CALL_BYTES = 8 * 2**20
NOISE_SAMPLES = 8
CONSTANT_FRAMES = 2
"""Calibration frames of nothing but 0, and of nothing but 255."""
LATENCY_RUNS, LATENCY_WARM_UP = 30, 5


class Workers:
    """The conversion process and the runtime process. The second never imports TensorFlow."""

    def __init__(self) -> None:
        self.converter = Child("the conversion process", plugin_folders())
        self.runtime = Child("the runtime process", plugin_folders())

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.converter.end()
        self.runtime.end()


@dataclass(frozen=True)
class Job:
    """One conversion, as plain values that travel to the conversion process.

    Args:
        exporter: The exporter's spec.
        plan: The network as `build.plan` gives it.
        inputs: Shape of every input without the batch, by tensor name.
        weights: File of `build.save_weights`; None for weights that `seed` gives.
        seed: Seed of the initial weights.
        calibration: `.npz` with inputs before normalization, by tensor name; None for noise, which is only allowed when
            the file is thrown away.
        normalization: Scale and offset that the input tensor carries instead of the network; None when it does not.
        quantization: What happens to weights and activations.
        input_type: Type of the input tensors.
        output_type: Type of the output tensors.
        file: Where to write.
        granularity: Whether weights of 8 bits have a scale for each output channel.
        kept_float: Tensors whose operators compute in float.
        corrected_biases: Whether biases take off what rounded weights add to their channels.
        metadata: What the file shall say about itself to a client library; None for nothing.
    """

    exporter: Mapping[str, Any]
    plan: Mapping[str, Any]
    inputs: Mapping[str, tuple[int, ...]]
    weights: Path | None
    seed: int
    calibration: Path | None
    normalization: tuple[float, float] | None
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    file: Path
    granularity: Granularity = "per_channel"
    kept_float: tuple[str, ...] = ()
    corrected_biases: bool = False
    metadata: Metadata | None = None


def warm_up() -> None:
    """Import TensorFlow in the conversion process, so that the first conversion need not wait for it."""
    from cnnpipe.quiet import quiet_tensorflow

    if "tensorflow" in sys.modules:
        return
    quiet_tensorflow()
    gc.freeze()  # every conversion collects garbage twice: let that pass over the million objects of the import


def convert(job: Job) -> FileFacts:
    """Build the network and write the file. Runs in the conversion process."""
    facts = make_exporter(job.exporter).convert(_conversion(job))
    if job.metadata is not None:
        litert_metadata.attach(job.file, job.metadata)
    return facts


def errors(job: Job) -> tuple[TensorError, ...]:
    """Build the network and return what int8 does to each operator. Runs in the conversion process."""
    return make_exporter(job.exporter).errors(_conversion(job))


def _conversion(job: Job) -> Conversion:
    warm_up()
    import keras

    from cnnpipe.build import build_model, has_own_ranges, load_weights, scatter_weights, set_weights

    keras.backend.clear_session()
    keras.utils.set_random_seed(job.seed)
    model = build_model(job.plan)
    if job.weights is not None:
        set_weights(model, _renamed(load_weights(job.weights), job.plan))
    else:
        scatter_weights(model, job.seed)
    samples = _calibration(job) if job.quantization in CALIBRATED and not has_own_ranges(job.plan) else []
    return Conversion(
        model,
        job.inputs,
        list(job.plan["outputs"]),
        samples,
        job.quantization,
        job.input_type,
        job.output_type,
        job.file,
        job.granularity,
        job.kept_float,
        job.corrected_biases,
    )


def _renamed(weights: Mapping[str, list[np.ndarray]], plan: Mapping[str, Any]) -> dict[str, list[np.ndarray]]:
    """Return weights under the names of a plan, which may have numbers before them for the sake of the order."""
    names = {original_name(layer["name"]): layer["name"] for layer in plan["layers"]}
    return {names.get(name, name): arrays for name, arrays in weights.items()}


def inspect(exporter: Mapping[str, Any], file: Path) -> FileFacts:
    """Return what a file holds. Runs in the runtime process."""
    return make_exporter(exporter).inspect(file)


def delegation(exporter: Mapping[str, Any], file: Path) -> Delegation | None:
    """Return how the runtime divides a file between fast and plain kernels. Runs in the runtime process."""
    return make_exporter(exporter).delegation(file)


def predict(exporter: Mapping[str, Any], file: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a file on inputs as it stores them. Runs in the runtime process."""
    (outputs,) = make_exporter(exporter).predict(file, [inputs])
    return dict(outputs)


def latency_ms(exporter: Mapping[str, Any], file: Path, one: Mapping[str, np.ndarray]) -> float:
    """Return the median time of one run in milliseconds, after some to warm up. Runs in the runtime process."""
    times, last = [], time.perf_counter()
    for _ in make_exporter(exporter).predict(file, [one] * (LATENCY_RUNS + LATENCY_WARM_UP)):
        times.append(time.perf_counter() - last)
        last = time.perf_counter()
    return statistics.median(times[LATENCY_WARM_UP:]) * 1000


def make_exporter(spec: Mapping[str, Any]) -> Exporter:
    """Return the exporter that plain values describe."""
    return cast(Exporter, room("exporters").load(spec["type"]).model_validate(dict(spec)))


def _calibration(job: Job) -> list[dict[str, np.ndarray]]:
    """Return calibration samples and, for pixels, the two constant frames that pin the input's scale."""
    import numpy as np

    rows = _noise(job) if job.calibration is None else dict(np.load(job.calibration, allow_pickle=False))
    for name, values in rows.items():
        if values.dtype == np.uint8:
            frames = np.stack([np.zeros_like(values[0]), np.full_like(values[0], 255)])
            rows[name] = np.concatenate([values, frames])
    scale, offset = job.normalization or (1.0, 0.0)
    number = min(len(values) for values in rows.values())
    return [
        {
            name: values[row : row + 1].astype(np.float32) * np.float32(scale) + np.float32(offset)
            for name, values in rows.items()
        }
        for row in range(number)
    ]


def _noise(job: Job) -> dict[str, np.ndarray]:
    import numpy as np

    generator = np.random.default_rng(job.seed)
    return {
        name: generator.integers(0, 256, (NOISE_SAMPLES, *shape), dtype=np.uint8) for name, shape in job.inputs.items()
    }
