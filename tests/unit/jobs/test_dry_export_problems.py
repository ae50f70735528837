"""What is wrong with a file of the dry export stands at the line of the recipe that asks for it."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.jobs.fitting import _tried
from cnnpipe.recipe.load import load_recipe, shipped_recipes


def test_problems_of_the_dry_export_have_places():
    loaded = load_recipe(shipped_recipes()["digits"])
    there = Place("elsewhere.yaml", 3, 1)
    early: Future = Future()
    early.set_exception(ProblemError([Problem("a", path="export.1.max_drop"), Problem("b", there), Problem("c")]))
    with pytest.raises(ProblemError) as caught:
        _tried(loaded, early)
    drop, placed, nowhere = caught.value.problems
    assert drop.place == loaded.place_of(("export", 1, "max_drop")) and drop.place.line > 1
    assert (placed.place, nowhere.place) == (there, None)
