"""How many steps are taken per call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.training.pace import MOST_STEPS, choose_pace


def network(units):
    graph = GraphBuilder()
    return {"network": graph.build({"y": graph.add(Dense(units), graph.input("x", (1000,)))})}


@pytest.mark.parametrize(
    ("units", "examples", "batch_size", "steps", "together"),
    [
        (1, 1280, 64, 20, 20),
        (1, 1281, 64, 21, 21),
        (1, 64 * 127, 64, 128, 64),  # one step more makes two calls
        (100_000, 1280, 64, 20, 1),  # 6.4 billion multiply-adds a step
        (10_000, 1280, 64, 21, 3),
        (1, 5, 64, 1, 1),
    ],
)
def test_pace(units, examples, batch_size, steps, together):
    pace = choose_pace(network(units).values(), examples, batch_size)
    assert (pace.steps_per_epoch, pace.steps_per_execution) == (steps, together)


@given(st.integers(1, 10**6), st.integers(1, 10**3), st.integers(1, 10**5))
def test_an_epoch_is_a_pass_and_hardly_more(examples, batch_size, units):
    pace = choose_pace(network(units).values(), examples, batch_size)
    passes = -(-examples // batch_size)
    assert pace.steps_per_epoch % pace.steps_per_execution == 0
    assert passes <= pace.steps_per_epoch <= passes * 1.05
    assert 1 <= pace.steps_per_execution <= MOST_STEPS
