"""One file on its way to a bundle: converted, opened, compared with Keras on validation, and what is decided of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnnpipe.bundle.comparison import Comparer, Comparison, broken_promises
from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.limits import exceeded
from cnnpipe.bundle.runtime import Runnable
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.datasets import SplitName
from cnnpipe.errors import Problem
from cnnpipe.events import Listener
from cnnpipe.manifest import Rung
from cnnpipe.recipe.exports import PlannedExport


@dataclass(frozen=True)
class Bench:
    """What files are made and compared with.

    Args:
        subject: What is exported.
        workers: Both worker processes.
        comparer: Compares files with the Keras model.
        folder: Where files may be written until it is decided.
        listener: Hears what is going on.
    """

    subject: Subject
    workers: Workers
    comparer: Comparer
    folder: Path
    listener: Listener = field(default_factory=Listener)


@dataclass(frozen=True)
class Attempt:
    """A file that was converted, with what is known of it so far.

    Args:
        export: What was asked for; of a ladder, the rung that was chosen.
        subject: What was converted.
        runnable: The file, opened.
        comparisons: By split.
        problems: Which promises it broke.
        rungs: Of a ladder, all that was tried, in this order.
    """

    export: PlannedExport
    subject: Subject
    runnable: Runnable
    comparisons: Mapping[SplitName, Comparison]
    problems: tuple[Problem, ...] = ()
    rungs: tuple[Rung, ...] = ()

    def on(self, split: SplitName, comparer: Comparer) -> Attempt:
        """Return it after a look at a split; a file that has broken a promise is not looked at again."""
        if self.problems:
            return self
        found = comparer.compare(self.export, self.runnable, split, self.subject.reference)
        comparisons = {**self.comparisons, split: found}
        return replace(self, comparisons=comparisons, problems=tuple(broken_promises(self.export, found)))


Decide = Callable[[PlannedExport, Bench], Attempt]
"""Makes the file of an export and decides on it by the validation split."""


def attempt(export: PlannedExport, bench: Bench) -> Attempt:
    """Convert an export as it is asked for, and compare the file with Keras on validation.

    Raises:
        ProblemError: It cannot be converted or run, at the export's recipe path.
    """
    folder = bench.folder / export.name
    folder.mkdir(parents=True, exist_ok=True)
    runnable = convert(export, bench.subject, bench.workers, folder / export.exporter.file_name)
    made = Attempt(export, bench.subject, runnable, {}).on("validation", bench.comparer)
    wrong = (replace(problem, path=export.path) for problem in bench.subject.wrong_in(runnable.file))
    return replace(made, problems=(*exceeded(export, runnable), *wrong, *made.problems))


def told(made: Attempt, listener: Listener) -> Attempt:
    """Tell what the user should know of a file, and return it."""
    for note in made.runnable.facts.notes:
        listener.note(f"{made.export.name}: {note}")
    return made
