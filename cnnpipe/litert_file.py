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
from cnnpipe.program import Operator, Program, Tensor, multiply_adds

ALIGNMENT = 16
"""Bytes to which every constant tensor is aligned: microcontrollers fault on less, and so do vector units."""
_IDENTIFIER = b"TFL3"
_MOST_AXES, _LARGEST_TENSOR = 32, 2**40
_SILENT_RANGE = 3e-6
"""The converter gives an activation that was always zero a range of 2e-6."""
_LEVELS = {"int8": 255, "uint8": 255, "int16": 65535}
_LAYER = re.compile(r"(?:^|[/;])(?:o\d+_)?(n\d{3,}_[a-z0-9_]*?)(?:_\d+)?(?=[/;]|$)")


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


def read_program(data: bytes, name: str = "the file") -> Program:
    """Return the first subgraph of a `.tflite` file as a program.

    Multiply-adds are counted for one example: those of a run divided by the first dimension of the first input. Options
    have the names of LiteRT's schema (`stride_w`), and its words for padding, activation and types.

    Raises:
        ProblemError: It is no LiteRT file, or it is damaged: an index points nowhere, a size is negative or absurd, an
            operator reads what is only written later.
    """
    model = read(data, name)
    try:
        return _program(model)
    except Exception as error:  # whatever a damaged table leads to
        what = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ProblemError(Problem(f"{name} is a damaged LiteRT file ({what})")) from None


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
    model = read(data)
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    positions = {_text(entry.name): entry.tensorIndex for entry in (*signature.inputs, *signature.outputs)}
    for name, position in positions.items():
        graph.tensors[position].name = name
    graph.inputs = [positions[name] for name in inputs]
    graph.outputs = [positions[name] for name in outputs]
    return packed(model)


def packed(model: Any) -> bytes:
    """Return the file of a `ModelT`, every constant aligned. The model's buffers are replaced by aligned ones."""
    import flatbuffers

    model.buffers = [_AlignedBuffer(b"" if b.data is None else bytes(bytearray(b.data))) for b in model.buffers]
    builder = flatbuffers.Builder(sum(len(buffer.data) for buffer in model.buffers) + 4096)
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


def _program(model: Any) -> Program:
    graph = model.subgraphs[0]
    tensors = tuple(_program_tensor(model, tensor) for tensor in graph.tensors or ())
    inputs = _positions(graph.inputs, len(tensors), "the list of inputs")
    outputs = _positions(graph.outputs, len(tensors), "the list of outputs")
    batch = max(1, tensors[inputs[0]].shape[0]) if inputs and tensors[inputs[0]].shape else 1
    operators = tuple(
        _program_operator(name, operator, tensors, batch) for name, operator, of in _operators(model) if of is graph
    )
    _check_order(tensors, operators)
    return Program(tensors, operators, inputs, outputs)


def _program_tensor(model: Any, tensor: Any) -> Tensor:
    shape = tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ()))
    name, scales = _text(tensor.name), tensor.quantization.scale if tensor.quantization is not None else None
    if any(size < 0 for size in shape):
        raise ValueError(f"the tensor '{name}' has the shape {list(shape)}")
    constant = _is_constant(model, tensor) or model.buffers[tensor.buffer].offset > 1  # beside the tables, if large
    made = Tensor(name, shape, _dtype(tensor), constant, 0 if scales is None else len(scales), bool(tensor.isVariable))
    if len(shape) > _MOST_AXES or made.bytes > _LARGEST_TENSOR:
        raise ValueError(f"the tensor '{name}' is absurdly large")
    return made


def _program_operator(name: str, operator: Any, tensors: Sequence[Tensor], batch: int) -> Operator:
    inputs = _positions(operator.inputs, len(tensors), f"an operator {name}", optional=True)
    outputs = tuple(
        position
        for position in _positions(operator.outputs, len(tensors), f"an operator {name}", True)
        if position >= 0
    )
    options = _options(operator.builtinOptions)
    shapes = [tensors[position].shape if position >= 0 else None for position in inputs]
    macs = multiply_adds(name, shapes, tensors[outputs[0]].shape, options) if outputs else 0
    return Operator(name, inputs, outputs, macs // batch, options, _layer(inputs, outputs, tensors))


def _layer(inputs: Sequence[int], outputs: Sequence[int], tensors: Sequence[Tensor]) -> str:
    """Return the first layer that the names of the outputs hold, or else those of the constants."""
    constants = [position for position in inputs if position >= 0 and tensors[position].constant]
    found = [layer for position in (*outputs, *constants) for layer in layers_in(tensors[position].name)]
    return found[0] if found else ""


def _positions(found: Any, count: int, what: str, optional: bool = False) -> tuple[int, ...]:
    positions = tuple(int(position) for position in (found if found is not None else ()))
    for position in positions:
        if not (-1 if optional else 0) <= position < count:
            raise ValueError(f"{what} names the tensor {position} of {count}")
    return positions


def _check_order(tensors: Sequence[Tensor], operators: Sequence[Operator]) -> None:
    writer: dict[int, int] = {}
    for step, operator in enumerate(operators):
        for position in operator.outputs:
            if writer.setdefault(position, step) != step and not tensors[position].variable:
                raise ValueError(f"two operators write the tensor '{tensors[position].name}'")
    for step, operator in enumerate(operators):
        for position in operator.inputs:
            if writer.get(position, -1) >= step and not tensors[position].variable:
                name = tensors[position].name
                raise ValueError(f"an operator {operator.name} reads the tensor '{name}' before it is written")


def _options(found: Any) -> dict[str, Any]:
    return {_snake(key): _option(key, value) for key, value in vars(found).items()} if found is not None else {}


def _option(key: str, value: Any) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    kinds = {"padding": schema.Padding, "fusedActivationFunction": schema.ActivationFunctionType}
    if key in kinds:
        return next(name for name, number in vars(kinds[key]).items() if number == value)
    if isinstance(value, (bool, int, float, type(None))):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else tuple(int(item) for item in value)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def activation_scales(data: bytes) -> tuple[float, ...]:
    """Return the scales of all quantized tensors that are no constants, each once."""
    model = read(data)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    return tuple({_quantization(t)[0] or 0.0: None for t in tensors if _is_quantized_activation(model, t)})


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
