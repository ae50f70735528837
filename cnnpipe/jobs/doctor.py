"""Look at a recipe's data: what would stop a run, what makes a model or its scores worse, and what the model sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.datasets import SPLITS, Examples
from cnnpipe.diagnosis import SEVERITIES, Finding, all_findings
from cnnpipe.events import Listener
from cnnpipe.examination import Examination
from cnnpipe.examination.examine import examine
from cnnpipe.jobs.compiling import opened
from cnnpipe.recipe.load import LoadedRecipe, load_recipe


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Args:
        name: The recipe's name.
        examples: How many examples there are.
        splits: How many each split has.
        classes: How many examples each class has in each split, by class and split; empty when labels are numbers.
        pictures: How pictures are stored: numbers by `format`, `mode` and `size`, the most frequent first.
        findings: The worst first.
        sheet: The contact sheet, when one was drawn.
    """

    name: str
    examples: int
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    sheet: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether a run could use the data; warnings do not count."""
        return all(finding.severity != "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: name, examples, splits, classes, pictures, findings, sheet."""
        return {
            "name": self.name,
            "examples": self.examples,
            "splits": dict(self.splits),
            "classes": {name: dict(numbers) for name, numbers in self.classes.items()},
            "pictures": {key: dict(numbers) for key, numbers in self.pictures.items()},
            "counts": {severity: sum(f.severity == severity for f in self.findings) for severity in SEVERITIES},
            "findings": [
                {
                    "check": finding.check, "severity": finding.severity, "message": finding.message,
                    "count": finding.count, "examples": list(finding.examples), "hint": finding.hint,
                    "details": dict(finding.details),
                }
                for finding in self.findings
            ],
            "sheet": str(self.sheet) if self.sheet else None,
        }  # fmt: skip


def doctor(
    recipe: str | Path | LoadedRecipe,
    overrides: Sequence[str] = (),
    runs_folder: str | Path = Path("runs"),
    picture: str | Path | None = None,
    listener: Listener | None = None,
) -> Diagnosis:
    """Look at every example of a recipe's source, and go on where a run would stop.

    TensorFlow is only needed for a contact sheet of a recipe with augmentation.

    Args:
        recipe: A recipe file, the name of a shipped recipe, or a loaded recipe.
        overrides: Changes such as `data.unreadable=skip`.
        runs_folder: Where all runs lie; facts of pictures are kept below it, by content, for the next time.
        picture: Where to draw the contact sheet, a PNG file; None for no sheet.
        listener: Hears what is going on.

    Raises:
        ProblemError: The recipe is wrong, or the source cannot be opened at all.
    """
    listener = listener or Listener()
    loaded = load_recipe(recipe, overrides)
    listing = opened(loaded)
    listener.stage("looking")
    data = examine(loaded, listing, Path(runs_folder), listener)
    listener.stage("comparing")
    findings = tuple(all_findings(data))
    sheet = None
    if picture is not None and any(example.digest for example in data.examples):
        listener.stage("drawing")
        sheet = Path(picture)
        _draw(data, listing, loaded.name, sheet)
    return Diagnosis(
        loaded.name,
        len(data.examples),
        {split: sum(example.split == split for example in data.examples) for split in SPLITS},
        _classes(data),
        _pictures(data),
        findings,
        sheet,
    )


def _draw(data: Examination, listing: Examples, name: str, file: Path) -> None:
    from cnnpipe.examination.sample import CLASSES, SEED, sampled
    from cnnpipe.report.contact_sheet import contact_sheet

    recipe = data.recipe
    changes = ", ".join(augmentation.type for augmentation in recipe.data.augmentation)
    shape = "x".join(map(str, recipe.data.preprocessing.input_shape()))
    lines = [f"{name}: what the model sees, {shape}", f"augmentation: {changes} (seed {SEED})" if changes else ""]
    if mixing := [augmentation.type for augmentation in recipe.data.augmentation if augmentation.mixes_labels]:
        lines.append(f"{' and '.join(mixing)}: a picture and its label are mixed with another one's by the same share")
    if len(data.class_names) > CLASSES:
        lines.append(f"{CLASSES} of {len(data.class_names)} classes")
    sheet = contact_sheet(sampled(data, listing), [line for line in lines if line], data.source_class_names)
    files.write_bytes(file, sheet)


def _classes(data: Examination) -> dict[str, dict[str, int]]:
    found = data.class_counts()
    return {name: {split: found[split][name] for split in SPLITS} for name in data.class_names}


def _pictures(data: Examination) -> dict[str, dict[str, int]]:
    pictures = [picture for _, picture in data.pictures]
    return {
        key: dict(Counter(getattr(picture, key) for picture in pictures).most_common())
        for key in ("format", "mode", "size")
    }
