"""The outline of a graph: every layer once, branches where ways part, repetitions counted."""

from __future__ import annotations

import pytest

from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.outline import Branches, Repeated, Step, Tangle, outline
from cnnpipe.model import Model


def built(*blocks: dict[str, object] | str, shape: tuple[int, ...] = (16, 16, 3)) -> Graph:
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": blocks}).expand(builder, builder.input("image", shape))
    return builder.build({"features": tensor})


def kinds(graph: Graph, step: Step) -> list[str]:
    return [graph.nodes[position].type.kind for position in step.nodes]


def test_stages_hold_every_node_once() -> None:
    graph = built(
        {"type": "conv_relu_pool", "filters": 8, "repeat": 2, "name": "stem"},
        {"type": "stage", "repeat": 3, "blocks": ({"type": "residual", "filters": 8},)},
        "flatten",
    )
    stages = outline(graph)
    assert [stage.label for stage in stages][1:] == ["stem", "blocks.1", "blocks.2"]
    assert [position for stage in stages for position in stage.nodes] == list(range(len(graph.nodes)))
    repeated, pool = stages[1].parts
    assert isinstance(repeated, Repeated) and repeated.times == 2 and isinstance(pool, Step)
    assert [kinds(graph, part) for part in repeated.parts] == [["convolution", "activation"]]


def test_a_residual_block_is_a_branch_and_a_shortcut_and_the_same_ones_are_counted() -> None:
    graph = built(
        {"type": "stage", "repeat": 3, "blocks": ({"type": "residual", "filters": 8},)},
    )
    first, again = outline(graph)[1].parts
    assert isinstance(first, Branches) and not first.shortcut and len(first.branches) == 2
    assert isinstance(again, Repeated) and again.times == 2
    (same,) = again.parts
    assert isinstance(same, Branches) and same.shortcut and len(same.branches) == 1
    assert same.join is not None and kinds(graph, same.join)[0] == "add"


def test_inception_has_four_branches_that_meet() -> None:
    sizes = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool")
    graph = built({"type": "inception", **{f"filters_{size}": 2 for size in sizes}})
    (part,) = outline(graph)[1].parts
    assert isinstance(part, Branches) and not part.shortcut
    assert [len(way) for way in part.branches] == [1, 2, 2, 2]
    assert part.join is not None and kinds(graph, part.join) == ["concatenate"]


def test_a_gate_inside_a_branch_is_a_branch_of_its_own() -> None:
    graph = built(
        {"type": "conv", "filters": 8}, {"type": "inverted_residual", "filters": 8, "squeeze_excitation": 0.5}
    )
    (part,) = outline(graph)[-1].parts
    assert isinstance(part, Branches) and part.shortcut
    ((*_, gate, last),) = part.branches
    assert isinstance(gate, Branches) and isinstance(last, Step)
    assert gate.join is not None and kinds(graph, gate.join) == ["multiply"]


@pytest.mark.parametrize("variant", ["mobile"])
def test_what_nobody_could_follow_is_a_tangle(variant: str) -> None:
    builder = GraphBuilder()
    model = Model.model_validate({"backbone": {"type": "nasnet", "variant": variant, "weights": "none"}})
    graph = builder.build({"features": model.expand(builder, builder.input("image", (64, 64, 3)))})
    stages = outline(graph)
    assert any(isinstance(part, Tangle) for stage in stages for part in stage.parts)
    assert [position for stage in stages for position in stage.nodes] == list(range(len(graph.nodes)))
