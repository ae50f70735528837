"""Nodes of two graphs that compute the same are found whatever their order, and a difference is told with both."""

from __future__ import annotations

import pytest

from cnnpipe.graph import Graph, GraphBuilder, Tensor
from cnnpipe.graph.matching import Difference, matched
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.rescaling import Rescaling

RELU, CONV = Activation("relu"), Convolution(4, 3)


class Network:
    """A graph that is written line by line."""

    def __init__(self) -> None:
        self.builder = GraphBuilder()
        self.input = self.builder.input("image", (8, 8, 4))

    def conv(self, tensor: Tensor, size: int = 3, filters: int = 4, **more: object) -> Tensor:
        return self.builder.add(Convolution(filters, size, padding="same", **more), tensor)

    def __call__(self, node_type: object, *tensors: Tensor) -> Tensor:
        return self.builder.add(node_type, *tensors)

    def graph(self, output: Tensor) -> Graph:
        return self.builder.build({"output": output})


def pairs(ours: Graph, theirs: Graph, **more: int) -> dict[int, int]:
    return matched(ours, theirs, ours.outputs["output"], theirs.outputs["output"], **more)


def difference(ours: Graph, theirs: Graph) -> Difference:
    with pytest.raises(Difference) as caught:
        pairs(ours, theirs)
    return caught.value


def chain(*nodes: object) -> Graph:
    made = Network()
    tensor = made.input
    for node in nodes:
        tensor = made(node, tensor)
    return made.graph(tensor)


def residual(swapped: bool = False, shortcut_first: bool = False, size: int = 3, activation: object = RELU) -> Graph:
    """A stem, and a sum of a branch and a projected shortcut of it."""
    made = Network()
    stem = made(RELU, made.conv(made.input))
    shortcut = made.conv(stem, 1) if shortcut_first else None
    branch = made(activation, made.conv(stem, size))
    shortcut = shortcut or made.conv(stem, 1)
    added = made(Add(), shortcut, branch) if swapped else made(Add(), branch, shortcut)
    return made.graph(made(RELU, added))


def test_equal_graphs_correspond_node_for_node():
    ours = residual()
    assert pairs(ours, residual()) == {number: number for number in range(len(ours.nodes))}


def test_order_and_swapped_inputs_of_a_sum_do_not_matter():
    ours, theirs = residual(), residual(swapped=True, shortcut_first=True)
    found = pairs(ours, theirs)
    assert [theirs.nodes[other].type for _, other in sorted(found.items())] == [node.type for node in ours.nodes]
    assert [one for one, other in found.items() if one != other] == [3, 4, 5]
    assert sorted(found.values()) == list(range(len(theirs.nodes)))


def test_inputs_of_a_concatenation_keep_their_order():
    def joined(swapped: bool) -> Graph:
        made = Network()
        one, other = made.conv(made.input, 1), made.conv(made.input, 3)
        return made.graph(made(Concatenate(), *((other, one) if swapped else (one, other))))

    found = difference(joined(False), joined(True))
    assert (found.ours, found.theirs) == (3, 3)
    assert found.message == "the inputs of Concatenate of (8, 8, 8) come from other layers"


def test_equal_branches_are_told_apart_by_what_follows_them():
    """Both begin with the same convolution; only one goes on: the first in one graph, and the last in the other."""

    def branches(first: bool) -> Graph:
        made = Network()
        starts = [made.conv(made.input, 1), made.conv(made.input, 1)]
        long, short = starts if first else reversed(starts)
        return made.graph(made(Concatenate(), short, made.conv(made(RELU, long), 3)))

    assert pairs(branches(True), branches(False)) == {0: 0, 1: 2, 2: 1, 3: 3, 4: 4, 5: 5}


def test_branches_that_are_equal_altogether_get_one_counterpart_each():
    def twins(swapped: bool) -> Graph:
        made = Network()
        one, other = (made(RELU, made.conv(made.input)) for _ in range(2))
        first = made(Add(), *((other, one) if swapped else (one, other)))
        return made.graph(made(Multiply(), first, one))

    for swapped in (False, True):
        found = pairs(twins(False), twins(swapped))
        assert found == {0: 0, 1: 1, 3: 3, 2: 2, 4: 4, 5: 5, 6: 6}


def test_a_tensor_that_is_read_twice_is_not_two_equal_ones():
    def squared(shared: bool) -> Graph:
        made = Network()
        one = made.conv(made.input)
        return made.graph(made(Multiply(), one, one if shared else made.conv(made.input)))

    assert pairs(squared(True), squared(True)) == {0: 0, 1: 1, 2: 2}
    assert "inputs of Multiply" in difference(squared(True), squared(False)).message
    assert difference(squared(False), squared(True)).message == "nothing follows like Conv2D of (8, 8, 4)"


@pytest.mark.parametrize("nothing", [Dropout(0.5), StochasticDepth(0.2), Activation("linear")])
def test_what_changes_no_value_may_stand_anywhere(nothing: object):
    scale = BatchNormalization()
    assert pairs(chain(nothing, CONV, scale), chain(CONV, scale)) == {0: 0, 2: 1, 3: 2}
    assert pairs(chain(CONV, scale), chain(CONV, nothing, scale, nothing)) == {0: 0, 1: 1, 2: 3}


def test_options_of_training_do_not_count():
    ours = chain(Convolution(4, 3), BatchNormalization(momentum=0.9))
    theirs = chain(Convolution(4, 3, initializer="he_normal"), BatchNormalization())
    assert len(pairs(ours, theirs)) == 3


def test_activations_may_be_called_by_either_name():
    assert len(pairs(chain(Activation("hard_swish")), chain(Activation("hard_silu")))) == 2


def test_what_comes_before_the_start_is_left_out():
    ours = chain(Rescaling(0.5), Convolution(4, 3))
    assert pairs(ours, chain(Convolution(4, 3)), our_start=1) == {1: 0, 2: 1}


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (chain(CONV, RELU), chain(Convolution(5, 3), RELU), (1, 1, "filters 4 in the place of 5")),
        (chain(RELU, CONV), chain(RELU, Convolution(4, 3, use_bias=False)), (2, 2, "default in the place of False")),
        (chain(RELU, CONV), chain(RELU, BatchNormalization()), (2, 2, "is not BatchNormalization of (8")),
        (chain(RELU), chain(RELU, CONV), (1, 2, "more follows: Conv2D of (6, 6, 4)")),
        (chain(RELU, CONV), chain(RELU), (2, 1, "nothing follows like Conv2D of (6, 6, 4)")),
        (residual(), residual(size=1), (3, 3, "kernel_size 3 in the place of 1")),
        (residual(), residual(activation=Activation("tanh")), (4, 4, "activation 'relu' in the place of 'tanh'")),
        (residual(), residual(activation=Activation("linear")), (4, 6, "Activation of (8, 8, 4) is not Add of")),
    ],
)  # fmt: skip
def test_a_difference_names_both_nodes_where_it_begins(ours: Graph, theirs: Graph, told: tuple[int, int, str]):
    found = difference(ours, theirs)
    assert (found.ours, found.theirs) == told[:2] and told[2] in found.message
