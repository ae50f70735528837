"""Every backbone in every variant, without Keras; some of them against Keras, node for node.

A family that recipes write in blocks is held against Keras as its recipe says it, with its head, in any order of the
nodes. `tests/stress/test_all_backbones.py` holds all of them against Keras.
"""

from __future__ import annotations

import importlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from functools import cache

import keras
import numpy as np
import pytest

from cnnpipe.applications import application_weights, backbone_graph, keras_model
from cnnpipe.applications.correspondence import carried, correspondence, start_of
from cnnpipe.applications.importing import import_model
from cnnpipe.applications.taps import feature_taps
from cnnpipe.backbones import ROOM
from cnnpipe.backbones._application import DEVIATION, GRAPHS, MEAN, Application
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.build import build_model, set_weights
from cnnpipe.errors import ProblemError
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.totals import parameters
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe, shipped_recipes

LEVELS = {"P1", "P2", "P3", "P4", "P5"}


def variants() -> list[Application]:
    families = [ROOM.load(name) for name in ROOM.names()]
    return [
        family.model_validate({**variant, "weights": "none"})
        for family in families
        if issubclass(family, Application)
        for variant in family.variants
    ]


ALL = variants()
BLOCKS = [backbone for backbone in ALL if isinstance(backbone, BlockFamily)]
"""Written in blocks, each in a recipe."""
STORED = [backbone for backbone in ALL if backbone not in BLOCKS]
SMALL = [backbone for backbone in ALL if backbone.graph_name in (
    "mobilenet_0.25", "mobilenet_v2_0.35", "mobilenet_v3_small_1.0", "efficientnet_b0", "vgg_vgg16",
    "resnet_resnet50", "convnext_tiny", "densenet_densenet121",
)]  # fmt: skip
"""One of each family that a recipe can be, and one that is only stored."""
(MOBILENET,) = (backbone for backbone in SMALL if backbone.type == "mobilenet")


def test_all_families_and_variants_are_seen():
    assert len({backbone.type for backbone in ALL}) == 14
    assert len(ALL) >= 54
    assert len(SMALL) == 8
    assert {backbone.type for backbone in BLOCKS} <= {backbone.type for backbone in SMALL}
    names = {backbone.graph_name for backbone in STORED}
    assert names == {file.name.removesuffix(".json.gz") for file in GRAPHS.iterdir()}


def test_families_in_blocks_are_those_of_recipes():
    """Whoever writes the blocks of a family in a shipped recipe writes the one recipe that the family reads."""
    backbones = {name: load_recipe(name).recipe.model.backbone for name in shipped_recipes()}
    written = {n: one for n, one in backbones.items() if isinstance(one, BlockFamily) and one.blocks is not None}
    assert {name: one.recipe for name, one in written.items()} == {name: name for name in written}
    assert set(written) == {backbone.recipe for backbone in BLOCKS}
    assert {"vgg16", "vgg19"} <= set(written)


@pytest.mark.parametrize("backbone", ALL, ids=lambda backbone: backbone.graph_name)
def test_backbone_conforms(backbone: Application):
    for size in ((backbone.smallest, backbone.smallest), (131, 160)):
        graph = backbone_graph(backbone, (*size, 3))
        outer = {level: graph.nodes[position].shape for level, position in graph.features.items()}
        assert set(outer) <= LEVELS and {"P3", "P4", "P5"} <= set(outer)
        assert outer["P5"] == graph.nodes[graph.outputs["features"]].shape
        heights = [shape[0] for shape in outer.values()]
        assert heights == sorted(heights, reverse=True)
        if backbone in STORED:
            assert dict(backbone.stored_graph().features) == dict(graph.features)
    assert backbone.licence and (type(backbone).__doc__ or "").count("Source:") == 1
    Image(image_size=(32, 32)).normalized(*backbone.normalization())
    published = backbone.model_copy(update={"weights": "imagenet"})
    file = published.official_file((224, 224))
    assert (file is None) == bool(published.unpublished())
    assert file is None or (file.name.endswith(".h5") and file.url.startswith("https://"))


@pytest.mark.parametrize("backbone", ALL, ids=lambda backbone: backbone.graph_name)
def test_input_that_does_not_fit_is_a_problem(backbone: Application):
    published = backbone.model_copy(update={"weights": "imagenet"})
    small = (backbone.smallest - 1, 200, 3)
    with pytest.raises(ProblemError, match="too small"):
        expand(published, small)
    with pytest.raises(ProblemError, match="color_mode"):
        expand(published, (200, 200, 1))


# Millions without the head, from the table "Stem" in the README of keras-applications 1.0.8
PUBLISHED = {
    "vgg_vgg16": 14.7, "vgg_vgg19": 20.0, "resnet_resnet50": 23.6, "inception_v3": 21.8, "inception_resnet_v2": 54.3,
    "xception": 20.9, "mobilenet_0.25": 0.2, "mobilenet_1.0": 3.2, "mobilenet_v2_0.35": 0.4, "mobilenet_v2_1.4": 4.4,
    "densenet_densenet121": 7.0, "densenet_densenet201": 18.3, "nasnet_large": 84.9, "nasnet_mobile": 4.3,
}  # fmt: skip


def test_parameters_are_those_that_were_published():
    counts = {b.graph_name: parameters(backbone_graph(b, (224, 224, 3))) for b in ALL if b.graph_name in PUBLISHED}
    assert {name: round(count / 1e6, 1) for name, count in counts.items()} == PUBLISHED


def expand(backbone: Application, shape):
    builder = GraphBuilder()
    return backbone.expand(builder, builder.input("images", shape))


def randomise(model: keras.Model, seed: int = 0) -> None:
    """Make every channel differ and nothing the identity, so that no wrong edge can hide."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        name = variable.path.rsplit("/", 1)[-1]
        if name in ("gamma", "moving_variance", "variance"):
            variable.assign(rng.uniform(0.6, 1.4, variable.shape))
        elif name in ("beta", "moving_mean", "bias", "mean"):
            variable.assign(rng.uniform(-0.2, 0.2, variable.shape))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.finalize_state()


@cache
def random_model(backbone: Application, size: tuple[int, int]) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras_model(backbone, None, (*size, 3))
    randomise(model)
    return model


def prove_shapes(backbone: Application, size: tuple[int, int]) -> int:
    """Compare layers, edges, shapes, parameters and feature maps with Keras; return the number of nodes of both."""
    model = random_model(backbone, size)
    nodes, graph = import_model(model), backbone_graph(backbone, (*size, 3))
    assert parameters(graph) == model.count_params()
    if backbone in BLOCKS:
        pairs = correspondence(graph, nodes)
        assert {level: pairs[position] + 1 for level, position in graph.features.items()} == {
            level: tap for level, tap in feature_taps(nodes, (*size, 3)).items() if level in graph.features
        }
        return len(pairs)
    assert [node.type.keras_layer(*graph.input_shapes(node)) for node in graph.nodes[1:]] == [
        node.type.keras_layer(*node.reads) for node in nodes
    ]
    assert [node.inputs for node in graph.nodes[1:]] == [node.inputs for node in nodes]
    known = [(ours, theirs) for ours, theirs in zip(graph.nodes[1:], nodes, strict=True) if theirs.output is not None]
    for ours, theirs in known:
        assert ours.shape == tuple(theirs.output.shape[1:]), theirs.layer
    return len(known)


def recipe_graph(backbone: BlockFamily, size: tuple[int, int]) -> Graph:
    """Return the network of the recipe that has the blocks, with its head."""
    options = [f"model.backbone.{name}={str(getattr(backbone, name)).lower()}" for name in backbone.variants[0]]
    shape = f"data.preprocessing.image_size=[{size[0]}, {size[1]}]"
    (graph,) = compile_recipe(load_recipe(backbone.recipe, [*options, shape])).graphs.values()
    return graph


def both(backbone: Application, size: tuple[int, int]) -> tuple[Graph, keras.Model]:
    """Return our network and that of Keras: with their heads when there is a recipe."""
    if not isinstance(backbone, BlockFamily):
        return backbone_graph(backbone, (*size, 3)), random_model(backbone, size)
    function = backbone.keras_function
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, function.name)(weights=None, input_shape=(*size, 3), **function.arguments)
    randomise(model)
    return recipe_graph(backbone, size), model


def random_pixels(size: tuple[int, int], largest: float) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, largest, (2, *size, 3)).astype("float32")


def with_weights(graph: Graph, arrays: list[list[np.ndarray]]) -> keras.Model:
    model = build_model(graph)
    names = [node.name for node in graph.nodes if node.type.weights(*graph.input_shapes(node))]
    used = {layer.name for layer in model.layers}
    set_weights(model, {name: own for name, own in zip(names, arrays, strict=True) if name in used})
    return model


def difference(truth: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference as a share of the largest value; a map of one position is a vector too."""
    return float(np.abs(truth - np.asarray(found).reshape(truth.shape)).max() / (np.abs(truth).max() + 1e-30))


def values_at(graph: Graph, positions: Iterable[int], weights: Mapping[str, list[np.ndarray]], pixels: np.ndarray):
    """Return what our network has at these nodes, by position."""
    ends = {f"t{position}": position for position in positions}
    kept = replace(graph, nodes=graph.nodes[: max(ends.values()) + 1], outputs=ends)
    model = build_model(kept)
    set_weights(model, {layer.name: weights[layer.name] for layer in model.layers if layer.weights})
    found = model(pixels, training=False)
    return {int(name[1:]): np.asarray(value) for name, value in (found if len(ends) > 1 else {"t-1": found}).items()}


def sabotaged(graph: Graph, known: Container[int]) -> dict[str, tuple[Graph, int]]:
    """Return networks that differ in one node, and its position: one without an activation, one that reads another."""
    nodes = [(position, node) for position, node in enumerate(graph.nodes) if position in known]
    activations = [position for position, node in nodes if isinstance(node.type, Activation)]
    lost = activations[len(activations) // 4]
    made = {"lost activation": (with_node(graph, lost, type=Activation("linear")), lost)}
    for position, node in nodes[len(nodes) // 3 :]:
        read, *rest = node.inputs
        near = graph.nodes[read].inputs  # which dropout gives on as they are
        like = [n for n, one in nodes if n < read and n not in near and one.shape == graph.nodes[read].shape]
        if like:
            made["other input"] = with_node(graph, position, inputs=(like[-1], *rest)), position
            break
    return made


def with_node(graph: Graph, position: int, **changes: object) -> Graph:
    nodes = list(graph.nodes)
    nodes[position] = replace(nodes[position], **changes)
    return replace(graph, nodes=tuple(nodes))


def prove_values(backbone: Application, size: tuple[int, int]) -> tuple[int, float, dict[str, float]]:
    """Compare values at every node; return their number, the worst difference, and those of sabotaged nodes.

    Raises:
        AssertionError: A node has another value than in Keras, or one that is sabotaged has the same.
    """
    graph, model = both(backbone, size)
    nodes = import_model(model)
    stored = {number: number - 1 for number in range(1, len(graph.nodes))}
    pairs = correspondence(graph, nodes) if isinstance(backbone, BlockFamily) else stored
    assert parameters(graph) == model.count_params()
    weights, start = carried(graph, nodes, pairs), start_of(graph)
    known = [one for one, other in pairs.items() if nodes[other].output is not None]
    pixels = random_pixels(size, 255 if start else 1)
    ours = values_at(graph, [start, *known], weights, pixels)
    watched = {f"t{one}": nodes[pairs[one]].output for one in known}
    found = keras.Model(model.input, watched)(ours[start], training=False)
    truth = {int(name[1:]): np.asarray(value) for name, value in found.items()}
    worst = max(difference(truth[one], ours[one]) for one in known)
    assert worst < 1e-4
    noticed = {}
    for name, (changed, position) in sabotaged(graph, set(known)).items():
        (value,) = values_at(changed, [position], weights, pixels).values()
        noticed[name] = difference(truth[position], value)
    assert len(noticed) == 2 and min(noticed.values()) > 1e-2
    return len(known), worst, noticed


@pytest.mark.parametrize("backbone", SMALL, ids=lambda backbone: backbone.graph_name)
def test_backbone_is_the_network_of_keras(backbone: Application):
    assert prove_shapes(backbone, (75, 64)) > 30
    assert prove_values(backbone, (33, 32))[0] > 20


@pytest.mark.parametrize("backbone", SMALL, ids=lambda backbone: backbone.graph_name)
def test_random_kernels_are_spread_like_those_of_keras(backbone: Application):
    size = (75, 64)
    graph, nodes = backbone_graph(backbone, (*size, 3)), import_model(random_model(backbone, size))
    pairs = correspondence(graph, nodes)
    keras.utils.set_random_seed(1)
    model = build_model(graph)
    kernels = [
        (np.std(one), np.std(other))
        for name, known in carried(graph, nodes, pairs).items()
        for one, other in zip(model.get_layer(name).get_weights(), known, strict=True)
        if one.ndim == 4 and one.size > 500
    ]
    assert len(kernels) > 10
    ours, known = zip(*kernels, strict=True)
    np.testing.assert_allclose(ours, known, rtol=0.15)


def preprocessed(backbone: Application, pixels: np.ndarray) -> np.ndarray:
    """Return what the family's own `preprocess_input` makes of pixels; each VGG has a module of its own."""
    name = backbone.variant if backbone.type == "vgg" else backbone.type
    module = importlib.import_module(f"keras.applications.{name}")
    return module.preprocess_input(pixels.copy())


def prove_file(backbone: Application, size: tuple[int, int], file) -> float:
    """Compare outputs for pixels with weights that went through a file; return the largest difference as a share."""
    model = random_model(backbone, size)
    model.save_weights(file)
    builder = GraphBuilder()
    preprocessing = Image(image_size=size).normalized(*backbone.normalization())
    tensor = preprocessing.input_nodes(builder, builder.input("images", (*size, 3)))
    graph = builder.build({"features": backbone.expand(builder, tensor)})
    ours = with_weights(graph, application_weights(backbone, file, size))
    pixels = random_pixels(size, 255)
    truth = np.asarray(model(preprocessed(backbone, pixels), training=False))
    return difference(truth, ours(pixels, training=False))


def test_weights_through_a_file_give_the_outputs_of_keras_for_the_same_pixels(tmp_path):
    assert prove_file(MOBILENET, (33, 32), tmp_path / "x.weights.h5") < 1e-5
    (vgg,) = (backbone for backbone in ALL if backbone.graph_name == "vgg_vgg16")
    assert vgg.reads_bgr
    assert prove_file(vgg, (32, 32), tmp_path / "vgg.weights.h5") < 1e-5


def test_published_efficientnet_is_rescaled(tmp_path, monkeypatch):
    """Keras adds a layer for the published weights, and leaves it out when they come as a file."""
    (backbone,) = (backbone for backbone in SMALL if backbone.type == "efficientnet")
    model, file = random_model(backbone, (33, 32)), tmp_path / "x.weights.h5"
    statistics = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    kept = statistics.get_weights()
    statistics.set_weights([np.array(MEAN), np.square(DEVIATION), kept[2]])
    model.save_weights(file)
    statistics.set_weights(kept)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *arguments, **more: file)
    published = keras_model(backbone, "imagenet", (33, 32, 3))
    pixels = random_pixels((33, 32), 255)
    truth = np.asarray(published(pixels, training=False))
    for source in ("imagenet", file):
        weights = application_weights(backbone, source, (33, 32))
        ours = with_weights(backbone_graph(backbone, (33, 32, 3)), weights)
        assert difference(truth, ours(pixels, training=False)) < 1e-4


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_file_that_does_not_fit_is_a_problem(tmp_path, head, suffix):
    """One with the head, and one of a wider network."""
    file = tmp_path / f"x{suffix}"
    wider = {"include_top": False, "alpha": 0.5}
    make = {"include_top": True, "alpha": 0.25} if head else wider
    model = keras.applications.MobileNet(weights=None, input_shape=(32, 32, 3), **make)
    model.save_weights(file) if suffix == ".weights.h5" else model.save(file)
    with pytest.raises(ProblemError, match=r"x(\.weights)?\.h5 (holds|does not fit)"):
        application_weights(MOBILENET, file, (32, 32))


def test_what_is_no_weights_file_is_a_problem(tmp_path):
    (tmp_path / "x.h5").write_text("no HDF5")
    (tmp_path / "x.txt").write_text("")
    for name, message in {"x.h5": "damaged", "x.txt": "no weights file", "none.h5": "there is no"}.items():
        with pytest.raises(ProblemError, match=message):
            application_weights(MOBILENET, tmp_path / name, (32, 32))
