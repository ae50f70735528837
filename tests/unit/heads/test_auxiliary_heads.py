"""Auxiliary heads as nodes: what training adds stands after all that every network has."""

import pytest
import yaml

from cnnpipe.errors import ProblemError
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe

HEADS = """
- {after: middle, blocks: [{type: conv_relu_pool, filters: 16}, flatten, {type: dense, units: 16, dropout: 0.7}]}
- {after: blocks.2, loss_weight: 0.1}
"""
RECIPE = {
    "name": "auxiliary",
    "task": {"type": "image_classification", "classes": 3},
    "data": {"source": "digits", "preprocessing": {"image_size": [16, 16], "color_mode": "grayscale"}},
    "model": {
        "blocks": [
            {"type": "conv_relu_pool", "filters": 16},
            {"type": "stage", "name": "middle", "blocks": [{"type": "conv_relu_pool", "filters": 16}]},
            {"type": "conv", "filters": 16},
        ]
    },
    "training": {"epochs": 1},
}


@pytest.fixture
def compiled(tmp_path):
    """Return a function that compiles the recipe with some heads."""

    def compile_with(heads=HEADS, *overrides):
        task = {**RECIPE["task"], "auxiliary_heads": yaml.safe_load(heads)}
        file = tmp_path / "auxiliary.yaml"
        file.write_text(yaml.safe_dump({**RECIPE, "task": task}))
        return compile_recipe(load_recipe(file, ["task.classes=10", *overrides]))

    return compile_with


def same(nodes):
    return [(node.name, node.type, node.inputs, node.shape) for node in nodes]


def test_the_network_that_is_used_is_that_of_a_recipe_without_them(compiled):
    (graph,), (plain,) = (compiled(heads).graphs.values() for heads in (HEADS, "[]"))
    assert same(graph.nodes) == same(plain.nodes)
    assert (graph.outputs, graph.features) == (plain.outputs, plain.features)


def test_the_trained_network_begins_with_it(compiled):
    made = compiled()
    (graph,), (trained,) = made.graphs.values(), made.trained.values()
    assert same(trained.nodes[: len(graph.nodes)]) == same(graph.nodes)
    assert list(trained.outputs) == ["probabilities", "auxiliary_1", "auxiliary_2"]
    assert trained.features == graph.features  # which decide what a phase freezes
    assert {trained.nodes[position].shape for position in trained.outputs.values()} == {(10,)}


def test_each_reads_the_last_output_of_its_block(compiled):
    (trained,) = compiled().trained.values()
    first = next(node for node in trained.nodes if node.block == "auxiliary_1.0")
    assert trained.nodes[first.inputs[0]].block == "middle.0" and trained.nodes[first.inputs[0]].shape == (4, 4, 16)
    second = next(node for node in trained.nodes if node.block == "auxiliary_2")
    assert trained.nodes[second.inputs[0]].block == "blocks.2"


def test_they_are_counted_apart(compiled):
    dense = (2 * 2 * 16 + 1) * 16 + (16 + 1) * 10
    added = (9 * 16 + 1) * 16 + dense + (16 + 1) * 10
    (line,) = compiled().only_trained
    assert line == f"while training {added:,} parameters more, for auxiliary_1 and auxiliary_2"
    assert compiled("[]").only_trained == ()


def test_they_grow_and_shrink_with_the_network(compiled):
    (trained,) = compiled(HEADS, "model.width_coefficient=0.5").trained.values()
    assert next(node.shape for node in trained.nodes if node.block == "auxiliary_1.2") == (8,)


def test_the_losses_know_their_weights(compiled):
    loaded = load_recipe("googlenet")
    assert dict(loaded.recipe.task.loss_weights(None)) == {"probabilities": 1.0, "auxiliary_1": 0.3, "auxiliary_2": 0.3}
    assert not load_recipe("squeezenet").recipe.task.loss_weights(None)


def test_an_unknown_block_is_an_error_at_its_line(compiled):
    with pytest.raises(ProblemError, match=r"after: no block is called 'midle'. Did you mean 'middle'\?"):
        compiled("[{after: midle}]")
