"""The table of the Edge TPU: one operator that it does not run sends all the rest to the CPU."""

from __future__ import annotations

import pytest

from cnnpipe.registry import room
from cnnpipe.targets._edge_tpu import unmapped

CORAL = room("targets").load("coral").model_validate({"type": "coral"})


def test_all_of_a_plain_network_runs_there(chain):
    program = chain("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "ADD", "MEAN")
    assert unmapped(program) is None
    assert CORAL.accelerated(program) == 5
    assert list(CORAL.misfits(program, "int8")) == []


def test_the_first_operator_that_it_does_not_know_is_told_with_what_is_left(chain):
    program = chain("CONV_2D", "CONV_2D", "HARD_SWISH", "CONV_2D", "HARD_SWISH")
    (misfit,) = CORAL.misfits(program, "int8")
    assert misfit.operator == 2
    assert misfit.severity == "warning"
    assert "leaves HARD_SWISH, which is none of its operators" in misfit.message
    assert "the 2 operators after it" in misfit.message and "40% of the multiply-adds" in misfit.message
    assert CORAL.accelerated(program) == 2


@pytest.mark.parametrize(
    ("operator", "options", "reason"),
    [
        ("DEPTHWISE_CONV_2D", {"dilation_h_factor": 2, "dilation_w_factor": 2}, "is dilated"),
        ("CONV_2D", {"dilation_h_factor": 2, "dilation_w_factor": 1}, "another dilation"),
        ("MAX_POOL_2D", {"fused_activation_function": "RELU"}, "activation fused"),
        ("CONV_2D", {"dtype": "float32"}, "works on float32"),
        ("ADD", {"shape": (2, 8, 8, 4)}, "2x8x8x4"),
        ("SOFTMAX", {}, "vector"),
        ("FULLY_CONNECTED", {}, "vector"),
        ("TFLite_Detection_PostProcess", {}, "is none of its operators"),
    ],
)
def test_rules_on_options_types_and_shapes(chain, operator, options, reason):
    position, told = unmapped(chain(operator, **options))
    assert position == 0
    assert reason in told


def test_what_keeps_the_rules_runs(chain):
    assert unmapped(chain("CONV_2D", dilation_h_factor=2, dilation_w_factor=2)) is None
    assert unmapped(chain("MAX_POOL_2D", fused_activation_function="NONE")) is None
    assert unmapped(chain("FULLY_CONNECTED", "SOFTMAX", shape=(1, 10))) is None
