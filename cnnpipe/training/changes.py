"""Changes of a recipe with which a training that has begun may go on: those that no earlier step depends on."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.recipe.difference import Difference, differences
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.training.progress import Progress

FREE = (
    ("training", "max_time"),
    ("training", "early_stopping"),
    ("training", "restore"),
    ("training", "distribution"),
)
"""Keys that only say when training stops, which weights are kept, and who computes."""
STEPS = 1000
"""Updates in an epoch, to see whether a schedule depends on the length of its phase."""


def allowed_changes(old: LoadedRecipe, new: LoadedRecipe, progress: Progress) -> Sequence[Difference]:
    """Return what differs between the recipe of a run and the one with which it shall go on.

    More epochs are allowed in the phase that is trained and in later ones, and another time limit, early stopping or
    choice of weights. A schedule that takes the whole phase is stretched over the new epochs from then on.

    Args:
        old: The recipe of the run.
        new: The recipe to go on with.
        progress: How far the training is.

    Raises:
        ProblemError: Other values differ; shows them.
    """
    found = differences(old.recipe, new.recipe)
    refused = [difference for difference in found if not _allowed(difference, progress)]
    if refused:
        hint = (
            "Only more epochs and another max_time, early_stopping, restore or distribution are possible; else train a "
            "new run."
        )
        raise ProblemError(
            Problem(f"earlier steps depend on {difference}", new.place_of(difference.new_path), difference.path, hint)
            for difference in refused
        )
    return found


def stretched_schedule(old: LoadedRecipe, new: LoadedRecipe, progress: Progress) -> str | None:
    """Return what more epochs do to the schedule of the phase that is trained; None when they do nothing."""
    before, after = (loaded.recipe.training for loaded in (old, new))
    phase, begun = after.parts[progress.phase], progress.phase_epochs or progress.epoch_step
    schedule, epochs = after.schedule_of(phase), before.parts[progress.phase].epochs
    if schedule is None or not begun or phase.epochs == epochs:
        return None
    rate = after.optimizer_of(phase).learning_rate
    short, long = (schedule.arguments(rate, steps) for steps in (epochs * STEPS, phase.epochs * STEPS))
    if short == long:
        return None
    return (
        f"The schedule {schedule.type} takes the whole phase: from here on it is that of {phase.epochs} epochs, not of "
        f"{epochs}, so the learning rate jumps, and the result is that of neither"
    )


def _allowed(difference: Difference, progress: Progress) -> bool:
    path = difference.new_path
    if path[:2] in FREE:
        return True
    more = isinstance(difference.new, int) and isinstance(difference.old, int) and difference.new > difference.old
    if path == ("training", "epochs"):
        return more
    is_phase = len(path) == 4 and path[:2] == ("training", "phases") and path[3] == "epochs"
    return is_phase and more and int(path[2]) >= progress.phase
