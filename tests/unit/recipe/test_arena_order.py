"""An export whose arena misses its limit gets the order of operators that fits, and says what it saved."""

from __future__ import annotations

import pytest

from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import forecast, judge
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.ordering import order_note, ordered

RECIPE = """
task: {{type: image_classification}}
data:
  source: {{type: synthetic_shapes, examples: 60}}
  preprocessing: {{image_size: [40, 40]}}
model:
  blocks:
    - {{type: conv, filters: 16, strides: 2}}
    - &inception
      {{type: inception, filters_1x1: 8, filters_3x3_reduce: 8, filters_3x3: 16, filters_5x5_reduce: 4, filters_5x5: 8,
        filters_pool: 8}}
    - *inception
training: {{epochs: 1}}
export:
  - {{target: {{type: cortex_m, board: nicla_vision}}, quantization: int8, max_arena: {max_arena}}}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(max_arena):
        file = tmp_path / "r.yaml"
        file.write_text(RECIPE.format(max_arena=max_arena))
        recipe = load_recipe(file)
        compiled = compile_recipe(recipe)
        (export,) = planned_exports(recipe.recipe)
        return recipe, compiled, export, recipe.recipe.task.deployed(compiled.graphs)

    return loaded


def test_a_missed_limit_is_met_by_another_order(load):
    recipe, compiled, export, graph = load(60_000)
    usual = forecast(export, graph).arena.total
    assert ordered(export, graph) == graph and order_note(export, graph) == ()
    recipe, compiled, export, graph = load(usual - 1000)
    made = forecast(export, graph)
    assert made.arena.total <= usual - 1000
    assert order_note(export, graph) == (
        f"its operators run in an order that saves {usual - made.arena.total:,} bytes of the arena",
    )
    found = judge(recipe, compiled)
    assert found.problems == ()
    assert order_note(export, graph)[0] in found.notes[0]


def test_a_limit_out_of_reach_is_not_searched(load):
    _, _, export, graph = load(20_000)
    assert ordered(export, graph) == graph
