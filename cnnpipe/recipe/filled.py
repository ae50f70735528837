"""What a recipe leaves out because other sections tell it: filled in, so that the resolved recipe holds it."""

from __future__ import annotations

from cnnpipe.backbones import Level
from cnnpipe.recipe.schema import Phase, Recipe, Training

HEAD_SHARE = 3
"""The head alone gets one of so many epochs."""
FINE_TUNING_RATE = 0.1
"""Factor on the learning rate when pretrained layers learn too."""
PIXEL_SCALE = 1 / 255
"""What pixels are multiplied with when neither the recipe nor a backbone says otherwise."""


def filled(recipe: Recipe, name: str) -> Recipe:
    """Return the recipe with its name, the normalization of its pixels and the phases of a pretrained backbone."""
    backbone = recipe.model.backbone
    scale, offset = backbone.normalization() if backbone is not None else (PIXEL_SCALE, 0.0)
    preprocessing = recipe.data.preprocessing.normalized(scale, offset)
    data = recipe.data.model_copy(update={"preprocessing": preprocessing})
    training = recipe.training
    if backbone is not None and backbone.pretrained and not training.phases and training.epochs:
        training = _transfer(training, training.epochs, backbone.tuned_after)
    training = training.model_copy(update={"phases": tuple(_one_rate(phase) for phase in training.phases)})
    return recipe.model_copy(update={"name": recipe.name or name, "data": data, "training": training})


def _one_rate(phase: Phase) -> Phase:
    """Return the phase with its learning rate in its optimizer, so that no two values are stated."""
    if phase.optimizer is None or phase.learning_rate is None:
        return phase
    optimizer = phase.optimizer.model_copy(update={"learning_rate": phase.learning_rate})
    return phase.model_copy(update={"optimizer": optimizer})


def _transfer(training: Training, epochs: int, frozen: Level) -> Training:
    """Return the two phases of a pretrained backbone; a single epoch is for the head alone."""
    first = max(1, epochs // HEAD_SHARE)
    phases = [Phase(name="head", epochs=first, freeze="backbone")]
    if epochs > first:
        rate = training.optimizer.learning_rate * FINE_TUNING_RATE
        phases.append(Phase(name="fine_tuning", epochs=epochs - first, freeze=frozen, learning_rate=rate))
    return training.model_copy(update={"epochs": None, "phases": tuple(phases)})
