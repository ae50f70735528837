"""The Keras model of a recipe, untrained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import LoadedRecipe, load_recipe

if TYPE_CHECKING:
    import keras


def build_model(recipe: str | Path | LoadedRecipe, overrides: Sequence[str] = ()) -> keras.Model:
    """Return the network that the recipe exports, with fresh weights: `cnnpipe.build_model("digits").summary()`.

    Its input is pixels, float32, 0..255, batch axis first; normalization is its first layer.

    Args:
        recipe: A recipe file, the name of a shipped recipe, or a loaded recipe.
        overrides: Changes such as `model.blocks.0.filters=16`.

    Raises:
        ProblemError: The recipe has problems, or its classes are known only from the data.
    """
    from cnnpipe import build
    from cnnpipe.quiet import quiet_tensorflow

    loaded = load_recipe(recipe, overrides)
    graph = loaded.recipe.task.deployed(compile_recipe(loaded).graphs)
    quiet_tensorflow()
    return build.build_model(graph)
