"""The planned arena: on programs that can be done by hand, and on the reference files of MLPerf Tiny."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.litert_file import read_program
from cnnpipe.program import Operator, Program, Tensor, plan_arena

MLPERF_TINY = {
    "weights/mlperf-tiny/pretrainedResnet_quant.tflite": (49_152, 55_984),
    "weights/mlperf-tiny/pretrainedResnet.tflite": (196_608, 203_376),
    "weights/mlperf-tiny/vww_96_int8.tflite": (73_728, 103_680),
    "weights/mlperf-tiny/vww_96_float.tflite": (294_912, 324_800),
    "weights/mlperf-tiny/kws_ref_model.tflite": (16_000, 24_272),
}
"""Head, and the whole arena, as LiteRT Micro takes them."""


def program(sizes: list[int], *reads: tuple[str, tuple[int, ...]]) -> Program:
    """One tensor an operator after the input, each of so many bytes."""
    tensors = tuple(Tensor("", (1, size), "int8", scales=1) for size in sizes)
    operators = tuple(Operator(name, inputs, (number + 1,)) for number, (name, inputs) in enumerate(reads))
    return Program(tensors, operators, (0,), (len(sizes) - 1,))


def test_tensors_share_memory_as_soon_as_nothing_reads_them():
    arena = plan_arena(program([64, 64, 64], ("RELU", (0,)), ("RELU", (1,))))
    assert arena.head == 128
    arena = plan_arena(program([64, 64, 64], ("RELU", (0,)), ("ADD", (0, 1))))
    assert arena.head == 192


def test_sizes_are_rounded_up_and_the_largest_is_placed_first():
    arena = plan_arena(program([1, 100, 17], ("RELU", (0,)), ("RELU", (1,))))
    assert [(buffer.tensor, buffer.offset, buffer.bytes) for buffer in arena.buffers] == [
        (1, 0, 112), (2, 112, 32), (0, 112, 16),
    ]  # fmt: skip
    assert arena.peak == 1


def test_constants_take_nothing_of_the_head():
    made = program([16, 16], ("RELU", (0,)))
    constant = Tensor("", (1000,), "int8", constant=True)
    more = Program((*made.tensors, constant), (Operator("ADD", (0, 2), (1,)),), (0,), (1,))
    assert plan_arena(more).head == plan_arena(made).head == 32


def test_a_mean_asks_for_sums_and_axes():
    axes = Tensor("", (2,), "int32", constant=True)
    tensors = (Tensor("", (1, 4, 4, 8), "int8", scales=1), axes, Tensor("", (1, 8), "int8", scales=1))
    mean = Program(tensors, (Operator("MEAN", (0, 1), (2,)),), (0,), (2,))
    assert plan_arena(mean).head == 128 + 16 + 32 + 16 + 16


def test_planning_a_small_head_takes_more_than_the_head():
    def chain(size: int):
        reads = [("RELU", (number,)) for number in range(9)]
        return plan_arena(program([size] * 10, *reads))

    needed = 176 + 10 * (32 + 40) - 2 * (64 + 32)  # ten tensors; inputs and outputs are described after planning
    assert chain(512).head == 1024 > needed
    assert chain(16).head == 32
    assert chain(16).tail - chain(512).tail == needed - 32
    assert chain(16).total - chain(512).tail == needed


@pytest.mark.real_data
@pytest.mark.parametrize("name", MLPERF_TINY)
def test_reference_files_take_what_is_planned(real_data: Path, name: str):
    head, total = MLPERF_TINY[name]
    arena = plan_arena(read_program((real_data / name).read_bytes(), name))
    assert arena.head == head
    assert arena.total == pytest.approx(total, rel=0.002)
