"""LiteRT, formerly TensorFlow Lite: `.tflite` files for phones and boards, by TensorFlow's own converter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import (
    CALIBRATED,
    Conversion,
    Delegation,
    Exporter,
    FileFacts,
    Quantization,
    TensorError,
    TensorType,
)
from cnnpipe.exporters._litert_converter import converted, errors
from cnnpipe.litert_file import has_quantized_constant, inspect, layers_in, tidy

if TYPE_CHECKING:
    import numpy as np

Answer = TypeVar("Answer")


class Litert(Exporter):
    """A `.tflite` file of built-in operators only, batch 1, constants aligned to 16 bytes, the same bytes each time."""

    also_called: ClassVar[tuple[str, ...]] = ("tflite", "tensorflow_lite", "tf_lite", "lite")
    type: Literal["litert"] = "litert"

    file_name: ClassVar[str] = "model.tflite"
    types: ClassVar[Mapping[Quantization, tuple[TensorType, ...]]] = {
        "none": ("float32",),
        "float16": ("float32",),
        "dynamic_range": ("float32",),
        "int8": ("int8", "uint8", "float32"),
        "int16x8": ("float32", "int16"),
    }
    per_tensor: ClassVar[frozenset[Quantization]] = frozenset({"int8", "dynamic_range"})
    program: ClassVar[tuple[str, ...]] = (
        "from ai_edge_litert.interpreter import Interpreter",
        'interpreter = Interpreter("{file}")',
        "interpreter.allocate_tensors()",
        'interpreter.set_tensor(interpreter.get_input_details()[0]["index"], stored)',
        "interpreter.invoke()",
        'stored = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])',
    )

    def convert(self, conversion: Conversion) -> FileFacts:
        """Write the file. Runs in the conversion process.

        Raises:
            ProblemError: The converter refuses the model, or would need operators that are not built in.
        """
        data = _asked(converted, conversion)
        data = tidy(data, list(conversion.inputs), list(conversion.outputs))
        conversion.file.write_bytes(data)
        facts = inspect(conversion.file)
        foreign = sorted({name for name in facts.operators if not name.isupper()})
        if foreign:
            raise ProblemError(
                Problem(f"the file would need operators that LiteRT has not built in ({_list(foreign)})")
            )
        return replace(facts, notes=tuple(_notes(conversion, facts, data)))

    def errors(self, conversion: Conversion) -> tuple[TensorError, ...]:
        """Return what int8 does to each operator, in order, by TensorFlow's quantization debugger."""
        return _asked(errors, conversion)

    def delegation(self, file: Path) -> Delegation:
        """Return how LiteRT divides the file between its delegate and its own kernels."""
        return _delegation(_interpreter(file, inspect(file)))

    def inspect(self, file: Path) -> FileFacts:
        """Return what a file holds, from the file alone."""
        return inspect(file)

    def loaded(self, file: Path, one: Mapping[str, np.ndarray], threads: int) -> Callable[[], object]:
        """Return what runs a file once, on as many threads as LiteRT's default delegate may use."""
        facts = inspect(file)
        interpreter = _interpreter(file, facts, threads)
        for tensor, detail in zip(facts.inputs, interpreter.get_input_details(), strict=True):
            interpreter.set_tensor(detail["index"], one[tensor.name])
        return cast(Callable[[], object], interpreter.invoke)

    def predict(self, file: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> Iterator[Mapping[str, np.ndarray]]:
        """Run the file in LiteRT with its default delegate, example by example.

        Raises:
            ProblemError: LiteRT refuses the file.
        """
        facts = inspect(file)
        interpreter = _interpreter(file, facts)
        inputs = dict(zip((t.name for t in facts.inputs), interpreter.get_input_details(), strict=True))
        outputs = dict(zip((t.name for t in facts.outputs), interpreter.get_output_details(), strict=True))
        for batch in batches:
            yield _run(interpreter, inputs, outputs, batch)


def _asked(what: Callable[[Conversion], Answer], conversion: Conversion) -> Answer:
    """Return what the converter answers; whatever its C++ side says becomes one sentence."""
    try:
        return what(conversion)
    except (Exception, SystemExit) as error:
        raise _refused(str(error), conversion) from error


def _refused(text: str, conversion: Conversion) -> ProblemError:
    """Return the converter's page of text as one sentence that names operator and layer."""
    operators = sorted(set(re.findall(r"'?\btfl?\.(\w+)'? op is neither", text)) | set(_unquantizable(text)))
    known = {layer.name for layer in conversion.model.layers}
    layers = [name for name in layers_in(text.replace('"', "/").replace("@", "/")) if name in known]
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    what = f"no built-in operator for {_list(operators)}" if operators else first[:300]
    where = f" (layer {_list(layers)})" if layers else ""
    return ProblemError(Problem(f"the LiteRT converter refuses the model for {conversion.quantization}: {what}{where}"))


def _unquantizable(text: str) -> list[str]:
    return re.findall(r"not yet supported for op: '?(\w+)", text)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _notes(conversion: Conversion, facts: FileFacts, data: bytes) -> Iterator[str]:
    if conversion.quantization == "dynamic_range" and not has_quantized_constant(data):
        yield "dynamic_range changed nothing: the converter leaves tensors under 1,024 values in float"
    if conversion.quantization in CALIBRATED and facts.float_operators:
        yield f"these operators stay in float: {_list(facts.float_operators)}"
    if conversion.corrected_biases:
        yield "what rounded weights add to each channel on average is taken off its bias"
    if facts.silent_tensors:
        yield f"zero for every calibration sample: {_layers(facts.silent_tensors)}"


def _layers(tensors: Iterable[str]) -> str:
    return _list(dict.fromkeys(layer for tensor in tensors for layer in layers_in(tensor) or [tensor]))


def _interpreter(file: Path, facts: FileFacts, threads: int | None = None) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=file.read_bytes(), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        hint = ""
        if facts.silent_tensors:
            hint = f"These layers gave nothing but zero in calibration: {_layers(facts.silent_tensors)}."
        raise ProblemError(Problem(f"LiteRT refuses {file.name} ({reason})", hint=hint)) from None
    return interpreter


def _delegation(interpreter: Any) -> Delegation:
    """Look at the operators after allocation: replaced ones are still listed, beside the parts that replace them."""
    operators = interpreter._get_ops_details()
    parts = [operator for operator in operators if operator["op_name"] == "DELEGATE"]
    plain = [operator for operator in operators if operator["op_name"] != "DELEGATE"]
    makers = {tensor: operator for operator in plain for tensor in operator["outputs"]}
    inside: set[int] = set()
    for part in parts:
        ends, todo = set(part["inputs"]), list(part["outputs"])
        while todo:
            tensor = todo.pop()
            if tensor not in ends and tensor in makers and makers[tensor]["index"] not in inside:
                inside.add(makers[tensor]["index"])
                todo += list(makers[tensor]["inputs"])
    names = {detail["index"]: detail["name"] for detail in interpreter.get_tensor_details()}
    outside = [operator for operator in plain if operator["index"] not in inside]
    return Delegation(len(parts), tuple((cut["op_name"], names[cut["outputs"][0]]) for cut in _between(outside, parts)))


def _between(outside: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the operators that stand between two parts; all when there are no parts."""
    if not parts:
        return list(outside)
    after = {tensor for part in parts for tensor in part["outputs"]}
    before = {tensor for part in parts for tensor in part["inputs"]}
    following = [operator for operator in outside if _grows(after, operator["inputs"], operator["outputs"])]
    return [operator for operator in reversed(following) if _grows(before, operator["outputs"], operator["inputs"])][
        ::-1
    ]


def _grows(tensors: set[int], touched: Iterable[int], added: Iterable[int]) -> bool:
    """Add tensors to a set if it holds any of the touched ones, and return whether it does."""
    if tensors.isdisjoint(touched):
        return False
    tensors.update(added)
    return True


def _run(interpreter: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any], batch: Any) -> dict[str, np.ndarray]:
    import numpy as np

    found: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    for row in range(len(next(iter(batch.values())))):
        for name, detail in inputs.items():
            interpreter.set_tensor(detail["index"], batch[name][row : row + 1])
        interpreter.invoke()
        for name, detail in outputs.items():
            found[name].append(interpreter.get_tensor(detail["index"]))
    return {name: np.concatenate(rows) for name, rows in found.items()}
