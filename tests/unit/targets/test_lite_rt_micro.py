"""The table of LiteRT Micro's operators."""

from __future__ import annotations

import pytest

from cnnpipe.targets._lite_rt_micro import BUILTIN, CUSTOM, REPLACEMENTS, UNABLE, missing_operators, resolver_method


def test_it_has_118_operators_with_a_method_each():
    methods = {resolver_method(name) for name in (*BUILTIN, *CUSTOM)}
    assert len(methods) == len(BUILTIN) + len(CUSTOM) == 118


@pytest.mark.parametrize(
    ("operator", "method"),
    [
        ("CONV_2D", "AddConv2D"), ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"), ("FULLY_CONNECTED", "AddFullyConnected"),
        ("MAX_POOL_2D", "AddMaxPool2D"), ("AVERAGE_POOL_2D", "AddAveragePool2D"), ("RELU6", "AddRelu6"),
        ("RESIZE_NEAREST_NEIGHBOR", "AddResizeNearestNeighbor"), ("BATCH_MATMUL", "AddBatchMatMul"),
        ("L2_NORMALIZATION", "AddL2Normalization"), ("L2_POOL_2D", "AddL2Pool2D"), ("CUMSUM", "AddCumSum"),
        ("PADV2", "AddPadV2"), ("SELECT_V2", "AddSelectV2"), ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"), ("SVDF", "AddSvdf"),
        ("TFLite_Detection_PostProcess", "AddDetectionPostprocess"), ("SignalPCAN", "AddPCAN"),
        ("GELU", None), ("TILE", None), ("SELECT", None), ("an operator of somebody", None),
    ],
)  # fmt: skip
def test_methods_of_the_resolver_are_called_as_in_its_header(operator, method):
    assert resolver_method(operator) == method


def test_its_names_are_those_of_the_schema():
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    assert set(BUILTIN) <= set(vars(schema.BuiltinOperator))
    assert set(REPLACEMENTS) <= set(vars(schema.BuiltinOperator))


def test_only_what_is_missing_has_a_replacement():
    assert not set(REPLACEMENTS) & BUILTIN


def test_every_operator_that_is_missing_is_told_with_what_to_write_instead(chain):
    found = list(missing_operators(chain("CONV_2D", "GELU", "TILE", "GELU", "UNHEARD_OF")))
    assert [misfit.operator for misfit in found] == [1, 2, 3, 4]
    assert all(misfit.severity == "error" and misfit.hint for misfit in found)
    assert "GELU" in found[0].message and "hard_swish" in found[0].hint
    assert "generic" in found[3].hint


@pytest.mark.parametrize(
    ("operator", "dtype", "refused"),
    [
        ("EXP", "int8", True), ("EXP", "float32", False), ("REDUCE_MAX", "int16", True), ("REDUCE_MAX", "int8", False),
        ("RESIZE_BILINEAR", "int16", True), ("SQRT", "int8", True), ("SOFTMAX", "int16", False),
    ],
)  # fmt: skip
def test_an_operator_that_is_there_may_refuse_a_type(chain, operator, dtype, refused):
    found = list(missing_operators(chain("RELU", operator, dtype=dtype)))
    assert [misfit.operator for misfit in found] == [1] * refused
    assert all(f"{operator} does not compute with {dtype}" in misfit.message and misfit.hint for misfit in found)


def test_types_are_only_said_of_operators_that_are_there():
    assert set(UNABLE) <= BUILTIN
