"""LiteRT Micro, the runtime of microcontrollers: its interpreter with the reference kernels, built for this host."""

from __future__ import annotations

import bisect
import contextlib
import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe import litert_file
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest, Memory
from cnnpipe.program import plan_arena
from cnnpipe.runtimes import Answers, Bounds, Cases, Runtime

if TYPE_CHECKING:
    import numpy as np

SMALLEST_SCALE = 1e-6
"""A tensor with a smaller scale makes the interpreter end its whole process."""
LARGEST_ARENA = 2**30
_MARGIN, _UNIT = 1.2, 1024
_ALIGNMENT_LOSS = 64
"""More than alignment can waste: the smallest arena is not farther than this below what a larger one reports."""
_PART = re.compile(rb"Arena allocation (total|head|tail) (\d+) bytes")


class LiteRTMicro(Runtime):
    """LiteRT Micro with its reference kernels. Optimized ones (CMSIS-NN, ESP-NN) may take more memory."""

    type: Literal["litert_micro"] = "litert_micro"
    title: ClassVar[str] = "LiteRT Micro"
    feeds_on: ClassVar[Literal["stored", "raw"]] = "stored"
    bounds: ClassVar[Bounds] = Bounds(steps=8, score=0.0, decisions=True)
    seconds: ClassVar[float] = 3600.0

    def missing(self) -> str:
        """Return why it cannot be run here; empty when it can."""
        if importlib.util.find_spec("tflite_micro") is not None:
            return ""
        return "the package tflite-micro is not installed: pip install 'cnnpipe[micro]' (Linux only)"

    def memory(self, file: Path) -> Memory:
        """Return what a file takes of the arena: measured where the interpreter can run it, else computed.

        The computed head is exact; the tail is an estimate for a host of 64 bits, good to 5 %. A network with initial
        weights can have activations that no interpreter runs, and its arena is the same.

        Raises:
            ProblemError: The file is damaged, or the interpreter refuses it.
        """
        data = file.read_bytes()
        planned = plan_arena(litert_file.read_program(data, file.name))
        if self.missing() or _silent_layers(data, file.name):
            return _memory(planned.head, planned.total, None)
        head, arena = _measured(data, file.name, planned.total)
        return _memory(head, arena, f"{self.title} {_version()}")

    def run(self, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
        """Answer stored inputs in an arena of exactly the stated size.

        Raises:
            ProblemError: The interpreter refuses the file, or the stated arena is too small.
        """
        file = folder / Path(manifest.file).name
        data = file.read_bytes()
        if layers := _silent_layers(data, file.name):
            message = f"what {layers} gives hardly differs from zero (its scale is below {SMALLEST_SCALE:g})"
            hint = "A layer that gave nothing but zero in calibration makes such a tensor."
            raise ProblemError(Problem(f"{self.title} cannot run {file.name}: {message}", hint=hint))
        measured = self.memory(file)
        stated = measured.arena if manifest.memory is None else _stated_arena(manifest.memory)
        interpreter = _interpreter(data, stated)
        if interpreter is None:
            message = (
                f"the stated arena is too small: {self.title} needs {measured.arena:,} bytes for {file.name}, "
                f"the bundle states {stated:,}"
            )
            raise ProblemError(Problem(message))
        facts = {"arena_bytes": measured.arena, "head": measured.head, "tail": measured.tail, "version": _version()}
        outputs = _answers(manifest, cases.stored, partial(_answer, interpreter, len(manifest.outputs)))
        return Answers(outputs, facts, _answers(manifest, cases.stored, partial(_reference_answer, _reference(data))))


def _memory(head: int, arena: int, measured_by: str | None) -> Memory:
    recommended = -(-int(arena * _MARGIN) // _UNIT) * _UNIT
    return Memory(head=head, tail=arena - head, arena=arena, recommended=recommended, measured_by=measured_by)


def _stated_arena(memory: Memory) -> int:
    """Return the arena that must be enough: a computed one is only promised with its margin."""
    return memory.arena if memory.measured_by else memory.recommended


def _version() -> str:
    from importlib.metadata import version

    return version("tflite-micro")


def _measured(data: bytes, name: str, planned: int) -> tuple[int, int]:
    """Return the head, and the size of the smallest arena in which the file runs.

    That may be more than what the interpreter says that it took: planning a small head takes more than the head.
    """
    size = 2 * planned + 2**16
    while (interpreter := _interpreter(data, size)) is None:
        size *= 2
        if size > LARGEST_ARENA:
            reason = _why(data, LARGEST_ARENA)
            raise ProblemError(Problem(f"LiteRT Micro refuses {name} ({reason})"))
    parts = _allocations(interpreter)
    enough, likely = parts["total"], parts["total"]
    # The interpreter crashes at some sizes far below the smallest: where more is expected, they are not tried.
    if planned > 1.02 * enough or _interpreter(data, enough) is None:
        enough = planned * 5 // 4 + 8 * _ALIGNMENT_LOSS
        while _interpreter(data, enough - _ALIGNMENT_LOSS) is not None:
            enough -= _ALIGNMENT_LOSS
        likely = enough
    candidates = range(max(likely - _ALIGNMENT_LOSS, 1), enough)
    place = bisect.bisect_left(candidates, True, key=lambda size: _interpreter(data, size) is not None)
    return parts["head"], candidates.start + place


def _silent_layers(data: bytes, name: str) -> str:
    """Return the layers whose activations have a tiny scale, empty when none has. Weights and biases may have one."""
    model = litert_file.read(data, name)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    silent = [tensor.name for tensor in tensors if _has_tiny_scale(tensor) and not _is_constant(model, tensor)]
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in silent]
    return ", ".join(dict.fromkeys(layer for text in texts for layer in litert_file.layers_in(text) or [text]))


def _has_tiny_scale(tensor: Any) -> bool:
    scales = None if tensor.quantization is None else tensor.quantization.scale
    return scales is not None and any(0 < abs(float(scale)) < SMALLEST_SCALE for scale in scales)


def _is_constant(model: Any, tensor: Any) -> bool:
    content = model.buffers[tensor.buffer].data
    return content is not None and len(content) > 0


def _interpreter(data: bytes, size: int) -> Any:
    """Return an interpreter with an arena of `size` bytes, or None when it refuses."""
    from tflite_micro import runtime

    try:
        with _silenced():
            return runtime.Interpreter.from_bytes(data, arena_size=size)
    except RuntimeError:
        return None


def _why(data: bytes, size: int) -> str:
    """Return what the interpreter says when it refuses a file."""
    from tflite_micro import runtime

    with _silenced() as said:
        try:
            runtime.Interpreter.from_bytes(data, arena_size=size)
        except RuntimeError as error:
            return " ".join((_text(said) or str(error)).split())[:300]
    return ""


def _allocations(interpreter: Any) -> dict[str, int]:
    with _silenced() as said:
        interpreter.print_allocations()
        return {name.decode(): int(size) for name, size in _PART.findall(_text(said).encode())}


def _answers(
    manifest: Manifest, stored: Mapping[str, np.ndarray], answer: Callable[[list[np.ndarray]], list[np.ndarray]]
) -> dict[str, np.ndarray]:
    """Ask for one example after another; inputs and outputs are in the file's order."""
    import numpy as np

    count = len(next(iter(stored.values())))
    with _silenced():
        rows = [
            answer([stored[entry.name][row : row + 1].reshape(entry.shape) for entry in manifest.inputs])
            for row in range(count)
        ]
    return {entry.name: np.concatenate([row[at] for row in rows]) for at, entry in enumerate(manifest.outputs)}


def _answer(interpreter: Any, outputs: int, inputs: list[np.ndarray]) -> list[np.ndarray]:
    for place, values in enumerate(inputs):
        interpreter.set_input(values, place)
    interpreter.invoke()
    return [interpreter.get_output(place) for place in range(outputs)]


def _reference(data: bytes) -> Any:
    """Return LiteRT with its reference kernels, which LiteRT Micro shares; its fast ones round differently."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    return interpreter


def _reference_answer(interpreter: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    for tensor, values in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(tensor["index"], values)
    interpreter.invoke()
    return [interpreter.get_tensor(tensor["index"]) for tensor in interpreter.get_output_details()]


@contextlib.contextmanager
def _silenced() -> Iterator[Any]:
    """Send what native code writes to standard error into a temporary file, which is given."""
    with tempfile.TemporaryFile() as said:
        before = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(before, 2)
            os.close(before)


def _text(said: Any) -> str:
    said.seek(0)
    return str(said.read().decode("utf-8", "replace"))
