"""A written file, ready to be fed: what it holds, how its inputs are filled, and its answers as real values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.bundle.feed import Feed, dequantize, feed_of
from cnnpipe.bundle.workers import CALL_BYTES, RUNTIME_SECONDS
from cnnpipe.child import Child
from cnnpipe.exporters import Exporter, FileFacts
from cnnpipe.manifest import Memory

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.task import Arrays


@dataclass(frozen=True)
class Runnable:
    """A file and all that is needed to run it.

    Args:
        exporter: The exporter's spec as plain values.
        file: The file.
        facts: What it holds.
        feeds: How each input is filled, by tensor name.
        memory: What it takes of the device's arena; None when that is not known, or the device has none.
    """

    exporter: Mapping[str, Any]
    file: Path
    facts: FileFacts
    feeds: Mapping[str, Feed]
    memory: Memory | None = None


def open_file(runtime: Child, exporter: Exporter, file: Path, normalization: tuple[float, float] | None) -> Runnable:
    """Look into a written file and run it once on zeros.

    Args:
        runtime: The runtime process.
        exporter: Who runs the file.
        file: The file.
        normalization: Scale and offset that its input tensor must carry; None when the network normalizes.

    Raises:
        ProblemError: The file is damaged, its runtime refuses it, or the normalization is not in its input tensor.
    """
    import numpy as np

    spec = exporter.model_dump(mode="json")
    facts: FileFacts = runtime.call("cnnpipe.bundle.workers.inspect", spec, file, timeout=RUNTIME_SECONDS)
    zeros = {tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in facts.inputs}
    runtime.call("cnnpipe.bundle.workers.predict", spec, file, zeros, timeout=RUNTIME_SECONDS)
    return Runnable(spec, file, facts, {tensor.name: feed_of(tensor, normalization) for tensor in facts.inputs})


def stored_inputs(runnable: Runnable, inputs: Arrays) -> dict[str, np.ndarray]:
    """Return inputs before normalization as the file's tensors store them."""
    return {t.name: runnable.feeds[t.name].apply(inputs[t.name], t.dtype) for t in runnable.facts.inputs}


def stored_outputs(runtime: Child, runnable: Runnable, stored: Arrays) -> dict[str, np.ndarray]:
    """Run the file on stored inputs, in calls of bounded size, and return its outputs as it stores them."""
    import numpy as np

    parts = [_call(runtime, runnable, part) for part in _parts(stored)]
    return {tensor.name: np.concatenate([part[tensor.name] for part in parts]) for tensor in runnable.facts.outputs}


def real_outputs(runnable: Runnable, stored: Arrays) -> dict[str, np.ndarray]:
    """Return stored outputs as real values."""
    return {tensor.name: dequantize(stored[tensor.name], tensor) for tensor in runnable.facts.outputs}


def file_outputs(runtime: Child, runnable: Runnable, inputs: Arrays) -> dict[str, np.ndarray]:
    """Return what the file says about inputs before normalization, as real values, batch axis first."""
    import numpy as np

    parts = [_call(runtime, runnable, stored_inputs(runnable, part)) for part in _parts(inputs)]
    if not parts:
        return {tensor.name: np.zeros((0, *tensor.shape[1:]), np.float32) for tensor in runnable.facts.outputs}
    joined = {tensor.name: np.concatenate([part[tensor.name] for part in parts]) for tensor in runnable.facts.outputs}
    return real_outputs(runnable, joined)


def latency_ms(runtime: Child, runnable: Runnable, inputs: Arrays) -> float:
    """Return the median time for one example on this host, in milliseconds, one thread."""
    one = stored_inputs(runnable, {name: values[:1] for name, values in inputs.items()})
    arguments = runnable.exporter, runnable.file, one
    return float(runtime.call("cnnpipe.bundle.workers.latency_ms", *arguments, timeout=RUNTIME_SECONDS))


def _call(runtime: Child, runnable: Runnable, stored: Arrays) -> Mapping[str, np.ndarray]:
    arguments = runnable.exporter, runnable.file, stored
    outputs: Mapping[str, np.ndarray] = runtime.call(
        "cnnpipe.bundle.workers.predict", *arguments, timeout=RUNTIME_SECONDS
    )
    return outputs


def _parts(arrays: Arrays) -> Iterator[dict[str, np.ndarray]]:
    number = len(next(iter(arrays.values())))
    each = sum(values[:1].nbytes for values in arrays.values())
    step = max(1, min(1024, CALL_BYTES // max(each, 1)))
    for start in range(0, number, step):
        yield {name: values[start : start + step] for name, values in arrays.items()}
