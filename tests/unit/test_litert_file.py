"""Reading `.tflite` files that are damaged or hostile."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnpipe.errors import ProblemError
from cnnpipe.litert_file import inspect, layers_in, read


def _small_file() -> bytes:
    """Return a file with one operator, RELU, between two tensors of four values."""
    model, graph, code, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 1
    graph.tensors = []
    for name in ("source", "result"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [1, 4], schema.TensorType.FLOAT32, 0
        graph.tensors.append(tensor)
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [1]
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


SMALL = _small_file()


def test_a_file_without_a_signature_is_told_by_its_tensor_names(tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_bytes(SMALL)
    facts = inspect(tmp_path / "small.tflite")
    assert facts.operators == ("RELU",)
    assert (facts.inputs[0].name, facts.inputs[0].shape, facts.inputs[0].dtype) == ("source", (1, 4), "float32")
    assert (facts.outputs[0].name, facts.tensors, facts.bytes) == ("result", 2, len(SMALL))


@pytest.mark.parametrize(
    "data", [b"", b"TFL3", b"\0" * 64, b"PK\x03\x04" + b"a" * 100, SMALL[:20], SMALL[: len(SMALL) // 2]]
)
def test_what_is_no_model_is_one_clear_problem(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it.tflite").write_bytes(data)
    with pytest.raises(ProblemError, match=r"it\.tflite is (no|a damaged) LiteRT file"):
        inspect(tmp_path / "it.tflite")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_change_of_bytes_leads_to_a_traceback(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for position, value in changes:
        data[position] = value
    (tmp_path / "it.tflite").write_bytes(bytes(data))
    try:
        facts = inspect(tmp_path / "it.tflite")
    except ProblemError as error:
        assert "it.tflite is " in str(error)
    else:
        assert facts.bytes == len(SMALL)


def test_layer_names_are_found_in_what_the_converter_makes_of_them() -> None:
    made = "cnnpipe_1/n003_activation_1/Relu;cnnpipe_1/n002_convolution_1/convolution1"
    assert layers_in(made) == ["n003_activation", "n002_convolution"]
    assert layers_in("StatefulPartitionedCall_1:0") == []
    assert read(SMALL).subgraphs[0].tensors[0].name == b"source"
