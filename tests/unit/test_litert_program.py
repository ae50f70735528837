"""A `.tflite` file as a program: operators, products, layers; and files that are not what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from cnnpipe.errors import ProblemError
from cnnpipe.litert_file import read_program
from cnnpipe.program import multiply_adds, plan_arena

TYPES = schema.TensorType


def made(
    operators: Sequence[tuple[str, list[int], list[int]]],
    tensors: Sequence[tuple[str, list[int], bool]],
    edit: Callable[[Any], None] = lambda model: None,
    inputs: Sequence[int] = (0,),
) -> bytes:
    """Return an int8 file of operators (name, inputs, outputs) over tensors (name, shape, constant)."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.buffers, model.operatorCodes, graph.tensors, graph.operators = [schema.BufferT()], [], [], []
    for name, shape, constant in tensors:
        tensor, buffer = schema.TensorT(), schema.BufferT()
        if constant:
            buffer.data = np.zeros(int(np.prod(shape)), np.uint8)
            model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1 if constant else 0
        tensor.name, tensor.shape, tensor.type = name, shape, TYPES.INT8
        graph.tensors.append(tensor)
    for number, (name, read, written) in enumerate(operators):
        operator, code = schema.OperatorT(), schema.OperatorCodeT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, name), 1
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        operator.opcodeIndex, operator.inputs, operator.outputs = number, read, written
        if name == "CONV_2D":
            operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
            operator.builtinOptions = schema.Conv2DOptionsT()
            operator.builtinOptions.strideW, operator.builtinOptions.fusedActivationFunction = 2, 1
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    graph.inputs, graph.outputs = list(inputs), [operators[-1][2][0]] if operators else []
    model.version, model.subgraphs = 3, [graph]
    edit(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


NET = (
    [("CONV_2D", [0, 1, 2], [3]), ("FULLY_CONNECTED", [3, 4, -1], [5])],
    [
        ("image", [1, 8, 8, 3], False), ("kernel", [4, 3, 3, 3], True), ("bias", [4], True),
        ("net/n003_activation/Relu;net/n002_convolution/conv", [1, 4, 4, 4], False),
        ("net/n005_dense/w", [10, 64], True), ("probabilities", [1, 10], False),
    ],
)  # fmt: skip


def test_operators_products_options_and_layers() -> None:
    program = read_program(made(*NET))
    convolution, dense = program.operators
    assert (convolution.name, convolution.inputs, convolution.outputs) == ("CONV_2D", (0, 1, 2), (3,))
    assert (convolution.macs, dense.macs, program.macs) == (4 * 4 * 4 * 27, 640, 4 * 4 * 4 * 27 + 640)
    assert (convolution.options["stride_w"], convolution.options["fused_activation_function"]) == (2, "RELU")
    assert (convolution.layer, dense.layer) == ("n003_activation", "n005_dense")
    assert dense.inputs[-1] == -1
    assert [tensor.constant for tensor in program.tensors] == [False, True, True, False, True, False]
    assert plan_arena(program).head == 192 + 64


def test_products_are_counted_for_one_example() -> None:
    several = [(name, [4, *shape[1:]] if not constant else shape, constant) for name, shape, constant in NET[1]]
    assert read_program(made(NET[0], several)).macs == read_program(made(*NET)).macs


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "products"),
    [
        ("CONV_2D", [(1, 8, 8, 4), (6, 3, 3, 2)], (1, 8, 8, 6), 8 * 8 * 6 * 9 * 2),  # two groups
        ("DEPTHWISE_CONV_2D", [(1, 8, 8, 4), (1, 5, 3, 8)], (1, 8, 8, 8), 8 * 8 * 8 * 15),
        ("TRANSPOSE_CONV", [(4,), (6, 3, 3, 2), (1, 4, 4, 2)], (1, 8, 8, 6), 4 * 4 * 2 * 9 * 6),
        ("FULLY_CONNECTED", [(1, 7, 7, 2), (10, 98), None], (1, 10), 980),
        ("BATCH_MATMUL", [(2, 5, 7), (2, 7, 3)], (2, 5, 3), 2 * 5 * 7 * 3),
        ("ADD", [(1, 4), (1, 4)], (1, 4), 0),
    ],
)
def test_products_of_each_operator(operator: str, inputs: list[Any], output: tuple[int, ...], products: int) -> None:
    assert multiply_adds(operator, inputs, output) == products


def test_a_transposed_first_factor() -> None:
    assert multiply_adds("BATCH_MATMUL", [(7, 5), (7, 3)], (5, 3), {"adj_x": True}) == 5 * 7 * 3


def _set(attribute: str, value: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        holder, _, name = attribute.rpartition(".")
        for part in holder.split("."):
            model = model[int(part)] if part.isdigit() else getattr(model, part)
        setattr(model, name, value)

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_set("subgraphs.0.tensors.3.shape", [1, -4, 4, 4]), r"has the shape \[1, -4, 4, 4\]"),
        (_set("subgraphs.0.tensors.3.shape", [2**31 - 1] * 4), "is absurdly large"),
        (_set("subgraphs.0.tensors.3.shape", [1] * 40), "is absurdly large"),
        (_set("subgraphs.0.tensors.3.buffer", 99), "IndexError"),
        (_set("subgraphs.0.tensors.3.type", 99), "damaged"),
        (_set("subgraphs.0.operators.0.inputs", [0, 1, 600]), "an operator CONV_2D names the tensor 600 of 6"),
        (_set("subgraphs.0.operators.0.inputs", [0, -5, 2]), "names the tensor -5"),
        (_set("subgraphs.0.operators.0.inputs", [5, 1, 2]), "reads the tensor 'probabilities' before it is written"),
        (_set("subgraphs.0.operators.0.inputs", [3, 1, 2]), "before it is written"),
        (_set("subgraphs.0.operators.1.outputs", [3]), "two operators write"),
        (_set("subgraphs.0.operators.0.inputs", [0]), "CONV_2D cannot have inputs of the shapes"),
        (_set("subgraphs.0.operators.0.opcodeIndex", 7), "IndexError"),
        (_set("subgraphs.0.tensors.1.shape", [36]), "CONV_2D cannot have inputs"),
        (_set("subgraphs.0.inputs", [-1]), "the list of inputs names the tensor -1 of 6"),
        (_set("subgraphs.0.outputs", [6]), "the list of outputs names the tensor 6 of 6"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_one_problem(edit: Callable[[Any], None], said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        read_program(made(*NET, edit), "it.tflite")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "head", "macs"),
    [
        ("pretrainedResnet_quant", 49_152, 12_501_632),
        ("vww_96_int8", 73_728, 7_489_664),
        ("kws_ref_model", 16_000, 2_656_768),
    ],
)
def test_the_head_of_the_arena_is_exact_on_files_by_others(real_data: Path, name: str, head: int, macs: int) -> None:
    data = (real_data / "weights" / "mlperf-tiny" / f"{name}.tflite").read_bytes()
    program = read_program(data)
    assert (plan_arena(program).head, program.macs) == (head, macs)
