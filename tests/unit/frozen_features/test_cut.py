"""A network with frozen layers is cut where the least work is left."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

import cnnpipe.graph.nodes as nodes
from cnnpipe.frozen_features import best_cut
from cnnpipe.graph import Graph, GraphBuilder, NodeType, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Add, Concatenate
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.graph.nodes.resize import Upsampling
from cnnpipe.recipe.phases import frozen_nodes
from cnnpipe.recipe.schema import Phase


def phase(**keys: Any) -> Phase:
    return Phase(name="head", epochs=1, **keys)


def backbone(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    """Two levels, each with a residual branch, BatchNorm and a random layer."""
    with graph.block(("model", "backbone"), "backbone"):
        for filters in (8, 16):
            tensor = graph.add(Convolution(filters, 3, strides=2, padding="same"), tensor)
            tensor = graph.add(BatchNormalization(), tensor)
            branch = graph.add(Dropout(0.1), graph.add(Convolution(filters, 3, padding="same"), tensor))
            tensor = graph.add(Activation("relu"), graph.add(Add(), tensor, branch))
            graph.feature(tensor)
    return tensor


def network(*head: Any) -> Graph:
    graph = GraphBuilder()
    tensor = backbone(graph, graph.add(Rescaling(1 / 255), graph.input("image", (16, 16, 3))))
    for node in head:
        tensor = graph.add(node, tensor)
    return graph.build({"answer": graph.add(Dense(2), tensor)})


def crossing(graph: Graph, chosen: Phase) -> str | None:
    cut = best_cut(graph, frozen_nodes(graph, chosen))
    return graph.nodes[cut.position].type.kind if cut else None


def test_a_frozen_backbone_gives_pooled_features() -> None:
    """Layers without weights that follow the frozen ones belong to them, as pooling makes features small."""
    graph = network(GlobalAveragePooling())
    assert crossing(graph, phase(freeze="backbone")) == "global_average_pooling"
    assert crossing(network(GlobalAveragePooling(), Dropout(0.2)), phase(freeze="backbone")) == "global_average_pooling"
    assert crossing(network(BatchNormalization(), GlobalAveragePooling()), phase(freeze="backbone")) == "activation"


def test_of_equal_work_the_smallest_tensor_crosses() -> None:
    graph = network(Upsampling(2), Convolution(4, 3, padding="same"), GlobalAveragePooling())
    cut = best_cut(graph, frozen_nodes(graph, phase(freeze="backbone")))
    assert cut and graph.nodes[cut.position].shape == (4, 4, 16)


def test_a_level_is_the_last_frozen_map() -> None:
    graph = network(GlobalAveragePooling())
    cut = best_cut(graph, frozen_nodes(graph, phase(freeze="P1")))
    assert cut and cut.position == graph.features["P1"]


def test_both_parts_are_whole_networks() -> None:
    graph = network(GlobalAveragePooling())
    cut = best_cut(graph, frozen_nodes(graph, phase(freeze="P1")))
    assert cut
    assert cut.before.inputs == cut.after.inputs == {"image": 0}
    assert list(cut.before.outputs) == ["image"] and list(cut.after.outputs) == ["answer"]
    total = sum(part.macs(node) for part in (cut.before, cut.after) for node in part.nodes)
    assert total == sum(graph.macs(node) for node in graph.nodes)
    for part in (cut.before, cut.after):
        for node in part.nodes:
            assert node.type.output_shape(*part.input_shapes(node)) == node.shape


def test_nothing_frozen_is_no_cut() -> None:
    graph = network(GlobalAveragePooling())
    assert crossing(graph, phase(freeze="none")) is None
    assert crossing(graph, phase(freeze="none", batch_normalization="training")) is None


def test_no_cut_where_two_tensors_cross() -> None:
    """A head that reads two levels leaves no single tensor, and one that reads the input needs the pixels."""
    graph = GraphBuilder()
    image = graph.input("image", (16, 16, 3))
    end, colors = (graph.add(GlobalAveragePooling(), tensor) for tensor in (backbone(graph, image), image))
    built = graph.build({"answer": graph.add(Dense(2), graph.add(Concatenate(), end, colors))})
    assert crossing(built, phase(freeze="backbone")) == "concatenate"
    with_weights = graph.add(Dense(3), colors)
    built = graph.build({"answer": graph.add(Dense(2), graph.add(Concatenate(), end, with_weights))})
    assert crossing(built, phase(freeze="backbone")) is None


def test_every_output_lies_behind_the_cut() -> None:
    """A frozen map that is an output itself is given in every step."""
    graph = GraphBuilder()
    features = backbone(graph, graph.input("image", (16, 16, 3)))
    answer = graph.add(Dense(2), graph.add(GlobalAveragePooling(), features))
    assert crossing(graph.build({"answer": answer, "map": features}), phase(freeze="backbone")) == "add"


def test_layers_hardly_worth_it_run_every_time() -> None:
    graph = network(Convolution(512, 3, padding="same"), Convolution(512, 3, padding="same"), GlobalAveragePooling())
    assert crossing(graph, phase(freeze="backbone")) is None


def test_normalizations_behind_the_frozen_level_are_frozen_unless_they_learn() -> None:
    graph = network(GlobalAveragePooling())
    for learning, count in (("inference", 2), ("training", 1)):
        frozen = frozen_nodes(graph, phase(freeze="P1", batch_normalization=learning))
        assert [graph.nodes[number].type.kind for number in frozen].count("batch_normalization") == count


def test_every_random_node_type_says_so() -> None:
    """Keras has random layers of few kinds, and a node type names its layer in `keras_layer`."""
    for module in pkgutil.iter_modules(nodes.__path__, f"{nodes.__name__}."):
        importlib.import_module(module.name)
    kinds = NodeType.__subclasses__()
    assert len(kinds) > 20
    random = {
        kind
        for kind in kinds
        if re.search("Dropout|Gaussian|Random(?!Normal|Uniform)|Noise", inspect.getsource(kind.keras_layer))
    }
    assert random == {kind for kind in kinds if kind.random} and len(random) >= 2
