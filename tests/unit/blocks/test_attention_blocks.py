"""Blocks of patches and attention: what they refuse, and how they are scaled."""

from __future__ import annotations

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.dropout import StochasticDepth
from cnnpipe.model import Model

PATCHES = {"type": "patch_embedding", "hidden_size": 12, "patch_size": 4}
ENCODER = {"type": "transformer_encoder", "num_heads": 3, "mlp_size": 24}
HYBRID = {"type": "mobilevit", "hidden_size": 12, "mlp_size": 24, "num_heads": 3}


def network(*blocks, shape=(8, 12, 3), **model):
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": blocks, **model}).expand(builder, builder.input("image", shape))
    return builder.build({"features": tensor})


def last_shape(*blocks, **options):
    return network(*blocks, **options).nodes[-1].shape


def problem(*blocks, **options):
    with pytest.raises(ProblemError) as caught:
        network(*blocks, **options)
    return str(caught.value.problems[0])


def test_patches_become_a_sequence_with_a_class_token_before_it():
    assert last_shape(PATCHES) == (7, 12)
    assert last_shape({**PATCHES, "class_token": False}) == (6, 12)
    assert last_shape({**PATCHES, "patch_size": (8, 1)}) == (13, 12)
    assert last_shape({**PATCHES, "patch_size": 1}) == (97, 12)


def test_a_sequence_becomes_a_vector_by_its_class_token_or_by_pooling():
    assert last_shape(PATCHES, ENCODER, "class_token") == (12,)
    assert last_shape(PATCHES, ENCODER, "global_average_pooling") == (12,)


def test_attention_in_a_map_keeps_its_shape():
    assert last_shape(HYBRID) == (8, 12, 3)
    assert {node.shape for node in network(HYBRID).nodes if isinstance(node.type, MultiHeadAttention)} == {(4, 24, 12)}


def test_the_last_convolution_of_a_hybrid_reads_its_input_and_what_the_transformer_made_of_it():
    graph = network(HYBRID)
    (joined,) = (node for node in graph.nodes if node.type.kind == "concatenate")
    before, after = joined.inputs
    assert (before, graph.nodes[after].shape) == (0, graph.nodes[0].shape) and after > 0


def test_maps_that_patches_do_not_divide_are_refused():
    assert "divides an 8x12 map into patches of 5x5: 8 / 5 = 1.60" in problem({**PATCHES, "patch_size": 5})
    assert "divides a 9x12 map into patches of 2x2" in problem(HYBRID, shape=(9, 12, 3))
    assert "patches are taken from a map in 2D, received 16x3 values" in problem(PATCHES, shape=(16, 3))


def test_channels_that_heads_do_not_divide_are_refused():
    assert "divides 12 channels into 5 heads: 12 / 5 = 2.40" in problem(PATCHES, {**ENCODER, "num_heads": 5})


def test_a_map_is_no_sequence():
    assert "reads a sequence of vectors, received an 8x12 map" in problem(ENCODER)
    assert "is the first of a sequence of vectors, received 8x12x3 values" in problem("class_token")


@pytest.mark.parametrize(("hidden_size", "num_heads"), [(192, 3), (384, 6), (768, 12), (1024, 16), (1280, 16)])
@pytest.mark.parametrize("width", [0.05, 0.1, 0.25, 0.5, 0.7, 1.3])
def test_heads_divide_what_width_coefficient_makes_of_the_channels(hidden_size, num_heads, width):
    blocks = {**PATCHES, "hidden_size": hidden_size}, {**ENCODER, "num_heads": num_heads, "mlp_size": 4 * hidden_size}
    (_, channels) = last_shape(*blocks, width_coefficient=width)
    assert channels % num_heads == 0
    assert channels == pytest.approx(width * hidden_size, abs=48)


def test_depth_coefficient_repeats_layers():
    def layers(depth):
        graph = network(PATCHES, {**ENCODER, "repeat": 4}, depth_coefficient=depth)
        return sum(isinstance(node.type, MultiHeadAttention) for node in graph.nodes)

    assert (layers(0.5), layers(1), layers(1.5)) == (2, 4, 6)


def test_stochastic_depth_grows_from_layer_to_layer_over_all_blocks():
    graph = network(PATCHES, {**ENCODER, "repeat": 2}, ENCODER, stochastic_depth=0.2)
    rates = [node.type.rate for node in graph.nodes if isinstance(node.type, StochasticDepth)]
    assert rates == [0.1, 0.1, 0.2, 0.2]  # the first layer, with both of its branches, has none
