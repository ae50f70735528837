"""The `export` section, resolved: for each item the exporter, the tensor types and the name of its folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import Exporter, Quantization, TensorType
from cnnpipe.recipe.schema import Export, Recipe


@dataclass(frozen=True)
class PlannedExport:
    """One file to write.

    Args:
        number: Position in the recipe's `export` list.
        name: Name of its folder: target and quantization, and the input type where the recipe asks for another one
            than the target's wish.
        target: The target's `type`.
        exporter: Who writes and runs the file.
        quantization: What happens to weights and activations.
        input_type: Type of the input tensors.
        output_type: Type of the output tensors.
        max_drop: How much of the headline metric it may lose; None for no gate.
        calibration_examples: Training examples for calibration.
    """

    number: int
    name: str
    target: str
    exporter: Exporter
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    max_drop: float | None
    calibration_examples: int

    @property
    def path(self) -> str:
        """Dotted recipe path of the item."""
        return f"export.{self.number}"


def planned_exports(recipe: Recipe) -> tuple[PlannedExport, ...]:
    """Return the exports of a recipe.

    Raises:
        ProblemError: A target or format cannot do what an item asks for, or two items would write the same folder; all
            of them, each with its recipe path.
    """
    problems = [problem for number, export in enumerate(recipe.export) for problem in _problems(number, export)]
    if problems:
        raise ProblemError(problems)
    planned = tuple(_planned(number, export) for number, export in enumerate(recipe.export))
    first: dict[str, int] = {}
    for item in planned:
        if first.setdefault(item.name, item.number) != item.number:
            message = f"this export and export.{first[item.name]} would both write the folder {item.name}"
            problems.append(Problem(message, path=item.path, hint="Remove one of them."))
    if problems:
        raise ProblemError(problems)
    return planned


def _problems(number: int, export: Export) -> Iterator[Problem]:
    path, target, quantization = f"export.{number}", export.target, export.quantization
    wishes, exporter = type(target).input_types, export.format or target.format
    if quantization not in wishes:
        known = ", ".join(wishes)
        message = f"the target {target.type} cannot run {quantization} files"
        yield Problem(message, path=f"{path}.quantization", hint=f"It runs {known}.")
        return
    types = exporter.types.get(quantization, ())
    if not types:
        message = f"the format {exporter.type} has no {quantization} files"
        yield Problem(message, path=f"{path}.quantization", hint=f"It has {', '.join(exporter.types)}.")
        return
    for key, chosen in (("input_type", export.input_type), ("output_type", export.output_type)):
        if chosen is not None and chosen not in types:
            message = f"a file with quantization {quantization} cannot have the {key} {chosen}"
            yield Problem(message, path=f"{path}.{key}", hint=f"It can be {' or '.join(types)}.")


def _planned(number: int, export: Export) -> PlannedExport:
    wish = type(export.target).input_types[export.quantization]
    input_type = export.input_type or wish
    name = f"{export.target.type}-{export.quantization}" + (f"-{input_type}" if input_type != wish else "")
    return PlannedExport(
        number=number,
        name=name,
        target=export.target.type,
        exporter=export.format or export.target.format,
        quantization=export.quantization,
        input_type=input_type,
        output_type=export.output_type or wish,
        max_drop=export.max_drop,
        calibration_examples=export.calibration_examples,
    )
