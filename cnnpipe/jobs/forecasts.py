"""Describe what a recipe's network will become on a device: operators, memory, latency, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.jobs.export_item import load_with_item
from cnnpipe.program import Program
from cnnpipe.recipe.exports import PlannedExport, planned_exports
from cnnpipe.recipe.feasibility import Forecast, forecast, problems_of
from cnnpipe.recipe.load import LoadedRecipe, in_order, load_recipe


@dataclass(frozen=True)
class TargetForecast:
    """What an export will be on its device.

    Args:
        export: The export.
        made: The predicted program with its arena; None where it is not predicted.
        reason: Why it is not predicted.
        operators: One row per operator: name, layer, block, line, output_shape (with the batch), output_type, macs,
            bytes_alive (in the arena while it runs), accelerated (None where there is no accelerator).
        problems: What does not fit.
    """

    export: PlannedExport
    made: Forecast | None
    reason: str
    operators: tuple[Mapping[str, Any], ...]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form; numbers are bytes, seconds and multiply-adds."""
        device = self.export.device
        found: dict[str, Any] = {
            "name": self.export.name,
            "target": device.model_dump(mode="json"),
            "quantization": self.export.quantization,
            "input_type": self.export.input_type,
            "predicted": self.made is not None,
            "reason": self.reason,
        }
        return found if self.made is None else {**found, **figures(self.made), "operators": list(self.operators)}


def forecasts(recipe: str | Path, item: Mapping[str, Any], overrides: Sequence[str] = ()) -> tuple[TargetForecast, ...]:
    """Predict what a recipe becomes on a device, from the recipe alone.

    Args:
        recipe: A file, or the name of a shipped recipe.
        item: What is asked for: `target` (a name), `board`, `quantization`, as far as they matter.
        overrides: Changes of single values, each `dotted.path=value`.

    Returns:
        One for each of the recipe's own exports that is what is asked for; where there is none, one, in int8 unless
        the item says otherwise.

    Raises:
        ProblemError: The recipe is wrong, or there is no such target.
    """
    loaded = load_recipe(recipe, overrides)
    exports = [export for export in planned_exports(loaded.recipe) if _is(export, item)]
    if not exports:
        loaded = load_with_item(loaded.file, {"quantization": "int8", **item}, overrides)
        exports = list(planned_exports(loaded.recipe))
    graph = loaded.recipe.task.deployed(compile_loaded(loaded).graphs)
    return tuple(_forecast(export, graph, loaded) for export in exports)


def plot(found: Sequence[TargetForecast], file: Path) -> None:
    """Draw the plan of the arena of the only forecast.

    Args:
        found: What `forecasts` returned.
        file: Where to write; its ending, .svg or .png, is the format.

    Raises:
        ProblemError: There are several, it is not predicted, or the file cannot be written.
    """
    from cnnpipe.report.arena_plot import plot_arena

    if len(found) != 1:
        names = ", ".join(one.export.name for one in found)
        raise ProblemError(Problem(f"one arena is drawn at a time, and these were found: {names}"))
    if (made := found[0].made) is None:
        raise ProblemError(Problem(f"the arena is not predicted: {found[0].reason}"))
    plot_arena(made.program, made.arena, f"{made.export.name}, predicted", file)


def figures(made: Forecast) -> dict[str, Any]:
    """Return what a predicted program takes: multiply-adds, bytes of the file, arena, memory, latency, accelerator."""
    program, arena, device = made.program, made.arena, made.export.device
    peak = program.operators[arena.peak]
    memory, seconds, accelerated = device.memory(), device.latency_seconds(program), device.accelerated(program)
    return {
        "macs": program.macs,
        "file_bytes": made.file_bytes,
        "weight_bytes": program.constant_bytes,
        "arena": {"head": arena.head, "tail": arena.tail, "total": arena.total} if device.has_arena else None,
        "peak": {"operator": peak.name, "bytes_alive": arena.alive(arena.peak), **_source(made, arena.peak)},
        "memory": {"ram": memory.ram, "flash": memory.flash} if memory else None,
        "latency_seconds": list(seconds) if seconds else None,
        "accelerated": None if accelerated is None else _share(program, accelerated),
    }


def _is(export: PlannedExport, item: Mapping[str, Any]) -> bool:
    """Whether an export is what an item asks for, as far as the item says anything."""
    device = export.device.model_dump(mode="json")
    said = {
        "target": device["type"],
        "board": device.get("board", {}).get("type"),
        "quantization": export.asked.quantization,
    }
    return all(said[key] == value for key, value in item.items())


def _forecast(export: PlannedExport, graph: Graph, loaded: LoadedRecipe) -> TargetForecast:
    try:
        made = forecast(export, graph)
    except NotPredicted as error:
        return TargetForecast(export, None, f"{error.reason} ({error.node.name})", (), ())
    problems = tuple(in_order(problems_of(made, loaded.place_of)))
    return TargetForecast(export, made, "", tuple(_rows(made)), problems)


def _rows(made: Forecast) -> Iterator[dict[str, Any]]:
    program, accelerated = made.program, made.export.device.accelerated(made.program)
    for position, operator in enumerate(program.operators):
        output = program.tensors[operator.outputs[0]]
        yield {
            "name": operator.name,
            **_source(made, position),
            "output_shape": list(output.shape),
            "output_type": output.dtype,
            "macs": operator.macs,
            "bytes_alive": made.arena.alive(position),
            "accelerated": None if accelerated is None else position < accelerated,
        }


def _source(made: Forecast, position: int) -> dict[str, Any]:
    """Return the layer that an operator computes, and the block and recipe line that it comes from."""
    operator = made.program.operators[position]
    node = made.node_of(operator)
    place = node.place if node else None
    return {"layer": operator.layer, "block": node.block if node else "", "line": place.line if place else None}


def _share(program: Program, accelerated: int) -> dict[str, Any]:
    macs = sum(operator.macs for operator in program.operators[:accelerated])
    return {"operators": accelerated, "macs_share": macs / max(program.macs, 1)}
