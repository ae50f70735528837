"""Whether exports can keep their promises, by arithmetic on the predicted program: before anything is trained.

What nobody has verified is not predicted, and then nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cnnpipe.durations import magnitude
from cnnpipe.errors import Path, Place, Problem, ProblemError
from cnnpipe.exporters import CALIBRATED
from cnnpipe.graph import Graph, Node
from cnnpipe.graph.lowering import NotPredicted, lower, predicted_file_bytes
from cnnpipe.program import Arena, Operator, Program, plan_arena
from cnnpipe.recipe.compiled import Compiled
from cnnpipe.recipe.exports import PlannedExport, carried_normalization, client_graph, planned_exports, possible_rungs
from cnnpipe.recipe.limits import predicted_excess, smallest_limits
from cnnpipe.recipe.load import LoadedRecipe, in_order
from cnnpipe.recipe.ordering import order_note, ordered
from cnnpipe.targets import Misfit, Target

PREDICTED_FORMAT = ".tflite"
"""Ending of the files whose operators can be predicted."""
FLOAT_HINT = "Choose another activation or normalization there, such as 'activation: relu'."


@dataclass(frozen=True)
class Forecast:
    """What an export will become.

    Args:
        export: The export.
        graph: The network that is exported.
        program: The predicted program.
    """

    export: PlannedExport
    graph: Graph
    program: Program

    @cached_property
    def arena(self) -> Arena:
        """The planned arena of the program."""
        return plan_arena(self.program)

    @property
    def file_bytes(self) -> int:
        """About how large the file will be."""
        return predicted_file_bytes(self.program)

    def node_of(self, operator: Operator) -> Node | None:
        """Return the node that an operator computes."""
        return next((node for node in self.graph.nodes if node.name == operator.layer), None)


@dataclass(frozen=True)
class Judgement:
    """What is known of all exports before training.

    Args:
        problems: What does not fit, in the order of places.
        notes: What each export for a device with limits is predicted to take, or why that is not predicted.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def judge(loaded: LoadedRecipe, compiled: Compiled) -> Judgement:
    """Predict every export of a recipe, and hold it against its target and its limits."""
    graph = loaded.recipe.task.deployed(compiled.graphs)
    found: list[Problem] = []
    notes: list[str] = []
    for export in planned_exports(loaded.recipe):
        if refused := list(_only_in_float(export, graph, loaded.place_of)):
            found += refused
            continue
        if not has_limits(export) and export.quantization not in CALIBRATED:
            continue
        try:
            made = forecast(export, graph)
        except NotPredicted as error:
            notes += [_not_predicted(export, error)] if has_limits(export) else []
        else:
            found += problems_of(made, loaded.place_of)
            notes += [_note(made)] if has_limits(export) else []
    return Judgement(tuple(in_order(found)), tuple(notes))


def _only_in_float(export: PlannedExport, graph: Graph, place_of: Callable[[Path], Place | None]) -> Iterator[Problem]:
    """Yield why a target or quantization cannot have a network with nodes that only compute in float."""
    node = next((node for node in client_graph(export, graph).nodes if node.type.only_in_float), None)
    if node is None:
        return
    message = f"'{export.name}': {node.type.kind} {node.type.only_in_float}, "
    behind = "Delete 'postprocessing': the program that calls the model then does it." if export.postprocessing else ""
    if export.device.has_arena or export.device.builtins_only:
        message, key = f"{message}which the target '{export.target}' cannot do", "target"
        hint = behind or "Choose a target with a processor for float, such as 'generic', 'raspberry_pi' or 'android'."
    elif all(rung.quantization in CALIBRATED for rung in possible_rungs(export)):
        message, key = f"{message}for which {export.quantization} is too coarse", "quantization"
        hint = f"Write 'none', 'float16' or 'dynamic_range'. {behind}".strip()
    else:
        return
    yield Problem(message, place_of(("export", export.number, key)), f"{export.path}.{key}", hint)


def approve(loaded: LoadedRecipe, compiled: Compiled) -> Judgement:
    """Return the judgement of a recipe whose exports can keep their promises, as far as can be told.

    Raises:
        ProblemError: They cannot, with warnings and errors.
    """
    found = judge(loaded, compiled)
    if any(problem.severity == "error" for problem in found.problems):
        raise ProblemError(found.problems)
    return found


def has_limits(export: PlannedExport) -> bool:
    """Return whether there is anything that its program may break."""
    device = export.device
    judging = type(device).misfits is not Target.misfits or device.memory() is not None
    return judging or export.max_arena is not None or export.max_bytes is not None


def forecast(export: PlannedExport, graph: Graph) -> Forecast:
    """Predict the program of an export.

    Raises:
        NotPredicted: Nobody has verified what becomes of it.
    """
    if not export.exporter.file_name.endswith(PREDICTED_FORMAT):
        raise NotPredicted(graph.nodes[-1], f"the operators of the format {export.exporter.type}")
    graph = client_graph(export, graph)
    carried = carried_normalization(export, graph) is not None
    named = ordered(export, graph)
    program = lower(named, export.quantization, export.input_type, carried, export.granularity, export.output_type)
    return Forecast(export, graph, program)


def problems_of(made: Forecast, place_of: Callable[[Path], Place | None]) -> Iterator[Problem]:
    """Yield what does not fit in a predicted program, each at the block that it comes from."""
    misfits = [*made.export.device.misfits(made.program, made.export.quantization), *_float_islands(made)]
    for misfit, count in _grouped(misfits).items():
        others = f", and {count - 1} more like it" if count > 1 else ""
        message = f"'{made.export.name}': {misfit.message}{others}"
        yield _placed(Problem(message, hint=misfit.hint, severity=misfit.severity), made, misfit.operator, place_of)
    for problem, operator in predicted_excess(made.export, made.program, made.arena, made.file_bytes):
        yield _placed(problem, made, operator, place_of)


def _float_islands(made: Forecast) -> Iterator[Misfit]:
    """Yield the operators of a quantized program that compute in float."""
    if made.export.quantization not in CALIBRATED:
        return
    for position, operator in enumerate(made.program.operators):
        types = {made.program.tensors[output].dtype for output in operator.outputs}
        if "float32" in types and operator.name != "DEQUANTIZE":
            message = f"{operator.name} computes in float32, between conversions, though the file is quantized"
            yield Misfit(message, FLOAT_HINT, position, "error" if made.export.device.builtins_only else "warning")


def _grouped(misfits: list[Misfit]) -> Mapping[Misfit, int]:
    """Return the first misfit of each message, with how many there are."""
    first: dict[str, Misfit] = {}
    counts: dict[Misfit, int] = {}
    for misfit in misfits:
        known = first.setdefault(misfit.message, misfit)
        counts[known] = counts.get(known, 0) + 1
    return counts


def _placed(
    problem: Problem, made: Forecast, operator: int | None, place_of: Callable[[Path], Place | None]
) -> Problem:
    """Return a problem at the block that an operator computes, or at the export's own line."""
    node = None if operator is None else made.node_of(made.program.operators[operator])
    if node is not None and node.place is not None:
        return replace(problem, place=node.place, path=node.path)
    path = problem.path or made.export.path
    parts = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
    return replace(problem, place=place_of(parts), path=path)


def _not_predicted(export: PlannedExport, error: NotPredicted) -> str:
    return f"{export.name}: operators and memory are not predicted: {error.reason} ({error.node.name})"


def _note(made: Forecast) -> str:
    device, (arena, file) = made.export.device, smallest_limits(made.export)
    parts = [f"arena {_of(made.arena.total, arena)}"] if device.has_arena else []
    parts.append(f"file about {_of(made.file_bytes, file)}")
    accelerated, seconds = device.accelerated(made.program), device.latency_seconds(made.program)
    if accelerated is not None:
        parts.append(f"{accelerated} of {len(made.program.operators)} operators on the accelerator")
    if seconds:
        low, high = map(magnitude, seconds)
        parts.append(f"{low} to {high} for an example")
    parts += order_note(made.export, made.graph)
    return f"{made.export.name}: {', '.join(parts)} (predicted)"


def _of(size: int, limit: int | None) -> str:
    return f"{size:,} bytes" if limit is None else f"{size:,} of {limit:,} bytes"
