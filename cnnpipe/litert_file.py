"""Reading and rewriting a `.tflite` file (a flatbuffer) without TensorFlow.

The schema is the one that `ai_edge_litert` ships. A damaged file can make any reader fail in any way; `read` turns
all of that into a problem, and is still better called in a child process when the file comes from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import FileFacts, TensorFacts

ALIGNMENT = 16
"""Bytes to which every constant tensor is aligned: microcontrollers fault on less, and so do vector units."""
_IDENTIFIER = b"TFL3"
_SILENT_RANGE = 3e-6
"""The converter gives an activation that was always zero a range of 2e-6."""
_LEVELS = {"int8": 255, "uint8": 255, "int16": 65535}
_LAYER = re.compile(r"(?:^|[/;])(n\d{3,}_[a-z0-9_]*?)(?:_\d+)?(?=[/;]|$)")


def read(data: bytes, name: str = "the file") -> Any:
    """Return the model in a flatbuffer as a `ModelT`.

    Raises:
        ProblemError: It is no LiteRT file, or it is damaged.
    """
    from ai_edge_litert import schema_py_generated as schema

    if len(data) < 16 or data[4:8] != _IDENTIFIER:
        raise ProblemError(Problem(f"{name} is no LiteRT file (the mark TFL3 is missing)"))
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
        if not model.subgraphs or not model.buffers:
            raise ValueError("it holds no graph")
    except Exception as error:  # a damaged table can fail anywhere in the generated reader
        raise ProblemError(Problem(f"{name} is a damaged LiteRT file ({type(error).__name__}: {error})")) from None
    return model


def inspect(file: Path) -> FileFacts:
    """Return what a `.tflite` file holds: operators in order, tensors, quantization.

    Raises:
        ProblemError: It is no LiteRT file, or it is damaged.
    """
    data = file.read_bytes()
    model = read(data, file.name)
    try:
        return _facts(model, len(data))
    except Exception as error:  # indices that point nowhere
        raise ProblemError(Problem(f"{file.name} is a damaged LiteRT file ({type(error).__name__}: {error})")) from None


def layers_in(text: str) -> list[str]:
    """Return the layer names that a tensor name holds, without the numbers that Keras and the converter append."""
    return list(dict.fromkeys(_LAYER.findall(text)))


def tidy(data: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """Return the same model with plain tensor names, outputs in the given order, and every constant aligned.

    Args:
        data: What the converter wrote, with one signature.
        inputs: Names of the inputs in the order that the file shall have.
        outputs: Names of the outputs in the order that the file shall have.
    """
    import flatbuffers

    model = read(data)
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    positions = {_text(entry.name): entry.tensorIndex for entry in (*signature.inputs, *signature.outputs)}
    for name, position in positions.items():
        graph.tensors[position].name = name
    graph.inputs = [positions[name] for name in inputs]
    graph.outputs = [positions[name] for name in outputs]
    model.buffers = [_AlignedBuffer(b"" if b.data is None else bytes(bytearray(b.data))) for b in model.buffers]
    builder = flatbuffers.Builder(len(data) + 4096)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


@dataclass
class _AlignedBuffer:
    """Stands in for the schema's `BufferT` and packs its bytes aligned, which that class does not."""

    data: bytes

    def Pack(self, builder: Any) -> int:
        from ai_edge_litert import schema_py_generated as schema

        offset = self._bytes(builder) if self.data else None
        schema.BufferStart(builder)
        if offset is not None:
            schema.BufferAddData(builder, offset)
        return int(schema.BufferEnd(builder))

    def _bytes(self, builder: Any) -> int:
        builder.StartVector(1, len(self.data), ALIGNMENT)
        builder.head -= len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
        return int(builder.EndVector())


def _facts(model: Any, size: int) -> FileFacts:
    graph = model.subgraphs[0]
    names = _signature_names(model)
    quantized = any(_is_quantized_activation(model, tensor) for tensor in graph.tensors)
    return FileFacts(
        inputs=tuple(_tensor(graph, position, names) for position in graph.inputs),
        outputs=tuple(_tensor(graph, position, names) for position in graph.outputs),
        operators=tuple(name for name, _, _ in _operators(model)),
        tensors=sum(len(g.tensors) for g in model.subgraphs),
        bytes=size,
        float_operators=tuple(_float_operators(model)) if quantized else (),
        silent_tensors=tuple(_text(t.name) for t in graph.tensors if _is_silent(model, t)),
    )


def _signature_names(model: Any) -> dict[int, str]:
    signatures = model.signatureDefs or []
    entries = [e for s in signatures[:1] for e in (*(s.inputs or []), *(s.outputs or []))]
    return {entry.tensorIndex: _text(entry.name) for entry in entries}


def _operators(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, operator and graph of every operator in the order in which they run."""
    from ai_edge_litert import schema_py_generated as schema

    builtin = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            code = model.operatorCodes[operator.opcodeIndex]
            name = builtin[max(code.builtinCode, code.deprecatedBuiltinCode)]
            yield _text(code.customCode) if name == "CUSTOM" else name, operator, graph


def _float_operators(model: Any) -> Iterator[str]:
    for name, operator, graph in _operators(model):
        for tensor in (graph.tensors[position] for position in operator.outputs):
            if _dtype(tensor) == "float32" and name != "DEQUANTIZE":
                yield f"{name} ({', '.join(layers_in(_text(tensor.name))) or _text(tensor.name)})"


def _tensor(graph: Any, position: int, names: dict[int, str]) -> TensorFacts:
    tensor = graph.tensors[position]
    shape = tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ()))
    scale, zero_point = _quantization(tensor)
    return TensorFacts(names.get(int(position), _text(tensor.name)), shape, _dtype(tensor), scale, zero_point)


def _quantization(tensor: Any) -> tuple[float | None, int | None]:
    """Return scale and zero point of a tensor that has exactly one of each, else None twice."""
    found = tensor.quantization
    if found is None or found.scale is None or len(found.scale) != 1:
        return None, None
    return float(found.scale[0]), int(found.zeroPoint[0])


def _is_constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _is_quantized_activation(model: Any, tensor: Any) -> bool:
    return _dtype(tensor) in _LEVELS and _quantization(tensor)[0] is not None and not _is_constant(model, tensor)


def _is_silent(model: Any, tensor: Any) -> bool:
    if not _is_quantized_activation(model, tensor):
        return False
    return (_quantization(tensor)[0] or 0.0) * _LEVELS[_dtype(tensor)] < _SILENT_RANGE


def has_quantized_constant(data: bytes) -> bool:
    """Return whether any constant tensor is stored as int8 with a scale: whether the file shrank at all."""
    model = read(data)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    return any(_dtype(t) == "int8" and t.quantization is not None and _is_constant(model, t) for t in tensors)


def _dtype(tensor: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    return str(next(k.lower() for k, v in vars(schema.TensorType).items() if v == tensor.type))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
