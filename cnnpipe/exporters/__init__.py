"""Exporters: one file format each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras
    import numpy as np

Quantization = Literal["none", "float16", "dynamic_range", "int8", "int16x8"]
TensorType = Literal["float32", "uint8", "int8", "int16"]
Granularity = Literal["per_channel", "per_tensor"]
CALIBRATED: frozenset[Quantization] = frozenset({"int8", "int16x8"})
"""Quantizations that need samples to know the range of every activation."""


@dataclass(frozen=True)
class Conversion:
    """Everything that a conversion needs.

    Args:
        model: The network for inference. The input's normalization is left out when the input tensor's scale and zero
            point carry it.
        inputs: Shape of every input without the batch, by tensor name, in the model's order.
        outputs: Tensor names of the outputs; a model with several returns a mapping with these keys.
        calibration: Model inputs of one example each (batch axis of 1, float32); empty unless the quantization is one
            of `CALIBRATED`, and where the model says its ranges itself, by layers with fake quantization.
        quantization: What happens to weights and activations.
        input_type: Type of the file's input tensors.
        output_type: Type of the file's output tensors.
        file: Where to write.
        granularity: Whether weights of 8 bits have a scale for each output channel, or one for all.
        kept_float: Tensors, as `TensorError.tensor` names them, whose operators shall compute in float; only for int8.
        corrected_biases: Whether biases take off what rounded weights add to their channels; only for int8.
    """

    model: keras.Model
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Sequence[str]
    calibration: Sequence[Mapping[str, np.ndarray]]
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    file: Path
    granularity: Granularity = "per_channel"
    kept_float: Sequence[str] = ()
    corrected_biases: bool = False


@dataclass(frozen=True)
class TensorError:
    """How far one operator is off when it computes in int8, fed with the same inputs as its float twin.

    Args:
        operator: Its name, such as `CONV_2D`.
        tensor: Name of its output tensor in the converter.
        steps: Root mean square error in steps of the output; rounding alone costs 1 / sqrt(12) = 0.289.
        noise: Mean over the output's channels of the error's share of what the channel carries: mean square error
            over variance, at most 1 for each channel. 0 loses nothing, 1 leaves nothing.
    """

    operator: str
    tensor: str
    steps: float
    noise: float


@dataclass(frozen=True)
class Delegation:
    """How a runtime on this host divides a file between its fast kernels and its plain ones.

    Args:
        partitions: Into how many parts of fast kernels the file falls.
        cuts: The operators without one that stand between two parts, each with the name of its output tensor; where
            there is no part, all operators.
    """

    partitions: int
    cuts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TensorFacts:
    """An input or output of a written file, as a client sees it.

    Args:
        name: The tensor's name.
        shape: Its shape, the batch included.
        dtype: Its type, such as `int8`.
        scale: `real = scale * (stored - zero_point)`; None for a float tensor.
        zero_point: See `scale`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class FileFacts:
    """What a written file holds.

    Args:
        inputs: Its inputs, in the file's order.
        outputs: Its outputs, in the file's order.
        operators: Names of all operators in the order in which they run.
        tensors: Number of tensors, weights included.
        bytes: Size of the file.
        float_operators: Operators that still compute in float although the file is quantized, as `NAME (tensor)`.
        silent_tensors: Activations that were zero for every calibration sample.
        notes: What the user should know, one sentence each.
    """

    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    operators: tuple[str, ...]
    tensors: int
    bytes: int
    float_operators: tuple[str, ...] = ()
    silent_tensors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Exporter(Spec):
    """Base of all exporters."""

    file_name: ClassVar[str]
    """Name of the file in the bundle."""
    types: ClassVar[Mapping[Quantization, tuple[TensorType, ...]]]
    """The quantizations that it can write, with the types that input and output may have, the default first."""
    per_tensor: ClassVar[frozenset[Quantization]] = frozenset()
    """The quantizations whose weights may have one scale for all channels."""
    program: ClassVar[tuple[str, ...]] = ()
    """Python for the bundle's README: an import, then lines that turn `stored`, the input as the file `{file}` takes
    it, into its first output. Empty where nobody wrote it."""

    type: str

    @abstractmethod
    def convert(self, conversion: Conversion) -> FileFacts:
        """Write the file, and return what it holds. Runs in the conversion process.

        Raises:
            ProblemError: The model cannot be converted; names the layer.
        """

    def errors(self, conversion: Conversion) -> tuple[TensorError, ...]:
        """Return what int8 does to each operator, in order. Runs in the conversion process.

        Raises:
            ProblemError: This format cannot tell.
        """
        raise ProblemError(Problem(f"the format '{self.type}' cannot tell which layers int8 hurts"))

    def loaded(self, file: Path, one: Mapping[str, np.ndarray], threads: int) -> Callable[[], object] | None:
        """Return a function that runs a file once, for measuring. Runs in a process of its own.

        Args:
            file: The written file.
            one: Inputs of one example as the file stores them, batch axis first.
            threads: How many threads the runtime may use.

        Returns:
            None when the runtime cannot be told its threads.
        """
        return None

    def delegation(self, file: Path) -> Delegation | None:
        """Return how the runtime divides a file; None where it does not. Runs in the runtime process."""
        return None

    @abstractmethod
    def inspect(self, file: Path) -> FileFacts:
        """Return what a file holds, from the file alone, without TensorFlow. Runs in the runtime process.

        Raises:
            ProblemError: The file is damaged, or is none of this format.
        """

    @abstractmethod
    def predict(self, file: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> Iterable[Mapping[str, np.ndarray]]:
        """Run the file in its own runtime, without TensorFlow. Runs in the runtime process.

        Args:
            file: The written file.
            batches: Inputs as the file stores them (its types, quantized already), batch axis first.

        Returns:
            Outputs as the file stores them, batch axis first.

        Raises:
            ProblemError: The runtime refuses the file.
        """


ROOM = Room("exporters", Exporter)
AnyExporter = Annotated[Exporter, Component("exporters")]
