"""An earlier run, opened: its recipe, what its task knows of the data, and its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cnnpipe.data import read_inputs
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import caller, restored
from cnnpipe.manifest import MANIFEST
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import LABELS as LABELS
from cnnpipe.runs import MODEL as MODEL
from cnnpipe.runs import RESOLVED as RESOLVED
from cnnpipe.runs import Run, open_run
from cnnpipe.task import Arrays, Facts, Prediction


@dataclass(frozen=True)
class Trained:
    """A run whose training is done.

    Args:
        run: The run.
        loaded: Its recipe, every value as it was then.
        facts: What its task knows of the data, with the class names of the training.
    """

    run: Run
    loaded: LoadedRecipe
    facts: Facts

    def outputs(self, inputs: Arrays) -> Arrays:
        """Return what the Keras model says, by tensor name, batch axis first.

        Raises:
            ProblemError: The model file is damaged, or is not safe to open.
        """
        return self.loaded.recipe.task.answer(self._call, inputs, self.facts)

    @cached_property
    def _call(self) -> Callable[[Arrays], Arrays]:
        """Return the Keras model as a function; it is opened once."""
        from cnnpipe.quiet import quiet_tensorflow
        from cnnpipe.safe_model import load_keras

        quiet_tensorflow()
        return caller(load_keras(self.run.folder / MODEL), self.loaded.recipe.task.signature(self.facts))

    def predict(self, files: Sequence[Path]) -> list[Prediction]:
        """Return what the model says about files."""
        task, preprocessing = self.loaded.recipe.task, self.facts.preprocessing
        tensors = [name for name, key in task.signature(self.facts).inputs.items() if key == preprocessing.key]
        inputs = {name: read_inputs(preprocessing, files) for name in tensors}
        predictions = task.decode(self.outputs(inputs), self.facts)
        return restored(task, predictions, [file.read_bytes() for file in files], preprocessing)


def open_trained(reference: str | Path, runs_folder: str | Path = Path("runs")) -> Trained:
    """Open an earlier run.

    Args:
        reference: A run folder, a name and number, or a name: its newest run.
        runs_folder: Where names are looked up.

    Raises:
        ProblemError: There is no such run, or it has no trained model.
    """
    run = open_run(reference, runs_folder)
    if not (run.folder / MODEL).is_file():
        hint = f"Go on with: cnnpipe train --resume {run.folder}"
        raise ProblemError(Problem(f"{run.folder} has no trained model ({run.record().get('state')})", hint=hint))
    loaded = load_recipe(run.folder / RESOLVED)
    names = run.read_text(LABELS).splitlines() if (run.folder / LABELS).is_file() else None
    return Trained(run, loaded, Facts(loaded.recipe.data.preprocessing, tuple(names) if names else None))


def bundle_folder(model: str | Path) -> Path | None:
    """Return the bundle that `model` names (its folder, or a file in it), or None when it names something else."""
    path = Path(model)
    folder = path.parent if path.is_file() else path
    return folder if (folder / MANIFEST).is_file() else None
