"""The ladder: when int8 loses too much, one remedy after the other, until a file keeps its promises.

Each rung is a whole file: converted, opened, compared with Keras on validation, held against the device, and timed. The
first that keeps every promise is taken; the test split is read for that one alone, and by others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cnnpipe.bundle.attempt import Attempt, Bench, attempt
from cnnpipe.bundle.runtime import latency_ms
from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import CALIBRATED, Quantization
from cnnpipe.manifest import Rung
from cnnpipe.quantization.sensitivity import kept_float, sensitivities
from cnnpipe.recipe.exports import PlannedExport, unfit

MORE = 5
"""How many times as many examples the second rung is calibrated on."""
KEPT_FLOAT = (1, 2, 4, 8, 16)
"""How many of the worst operators compute in float, one rung each; never more than half of all."""

Learn = Callable[[PlannedExport, Bench], Subject]
"""Trains on with the rounding of int8 in the network, and returns what is to be converted then."""


@dataclass(frozen=True)
class Step:
    """A rung to try.

    Args:
        rung: What is tried, in words.
        export: The export to try; of one that cannot be tried, any.
        why_not: Why it cannot be tried; empty when it can.
        learn: Makes what is converted; None for the network as it was trained.
    """

    rung: str
    export: PlannedExport
    why_not: str = ""
    learn: Learn | None = None


def climb(export: PlannedExport, bench: Bench, learn: Learn | None = None) -> Attempt:
    """Try one rung after the other and return the first that keeps every promise, with the table of all that was tried.

    Args:
        export: The ladder.
        bench: What files are made and compared with.
        learn: Makes the last rung; without it there is none.

    Returns:
        The first rung that passes; when none does, the one that loses least, with what it broke as problems.

    Raises:
        ProblemError: No rung gave a file at all.
    """
    rungs: list[Rung] = []
    attempts: list[Attempt] = []
    for number, step in enumerate(_steps(export, bench, learn)):
        if not step.why_not and not step.learn:  # which says by itself that it begins
            bench.listener.stage(f"export {export.name}: {step.rung}")
        made, rung = _tried(step, replace(bench, folder=bench.folder / f"{export.name}-{number}"))
        rungs.append(rung)
        attempts += [made] if made else []
        if made and not made.problems:
            bench.listener.note(f"{export.name}: {_cost(rung, rungs)}")
            return replace(made, rungs=tuple(rungs))
    if not attempts:
        reasons = "; ".join(f"{rung.rung}: {rung.reason}" for rung in rungs)
        raise ProblemError(Problem(f"no rung of the ladder {export.name} gave a file ({reasons})", path=export.path))
    best = min(attempts, key=lambda made: made.comparisons["validation"].drop.drop)
    return replace(best, problems=(_missed(export, best, rungs), *best.problems), rungs=tuple(rungs))


def _steps(export: PlannedExport, bench: Bench, learn: Learn | None) -> Iterator[Step]:
    int8 = _step("int8", export, "int8")
    yield int8
    if not int8.why_not:
        yield _more_calibration(int8.export, bench)
        yield _corrected_biases(int8.export)
        yield from _partly_float(int8.export, bench)
    others: tuple[Quantization, ...] = ("int16x8", "dynamic_range", "float16")
    for quantization in others:
        yield _step(quantization, export, quantization)
    if learn:
        behind = f"the loss cannot be computed behind {export.postprocessing}" if export.postprocessing else ""
        yield replace(int8, rung="quantization-aware training", learn=learn, why_not=int8.why_not or behind)


def _step(name: str, export: PlannedExport, quantization: Quantization) -> Step:
    """Return a rung of a quantization, or why target or format cannot have it."""
    if reasons := [problem.message for problem in unfit(export.asked, quantization)]:
        return Step(name, replace(export, quantization=quantization), "; ".join(reasons))
    return Step(name, export.tried(quantization))


def _more_calibration(int8: PlannedExport, bench: Bench) -> Step:
    number, there = int8.calibration_examples * MORE, len(bench.subject.splits["training"])
    used = f"all {there:,} training examples were calibrated on already" if int8.calibration_examples >= there else ""
    return Step("int8, more calibration", replace(int8, calibration_examples=min(number, there)), used)


def _corrected_biases(int8: PlannedExport) -> Step:
    done = "the first rung has corrected ones" if int8.corrected_biases else ""
    return Step("int8, corrected biases", replace(int8, corrected_biases=True), done)


def _partly_float(int8: PlannedExport, bench: Bench) -> Iterator[Step]:
    name = "int8, worst in float"
    if int8.device.builtins_only:
        yield Step(name, int8, "the target computes in integers only")
        return
    try:
        worst = sensitivities(int8, bench.subject, bench.workers)
    except ProblemError as error:
        yield Step(name, int8, "; ".join(problem.message for problem in error.problems))
        return
    hurt = sum(not one.exact for one in worst)
    for number in KEPT_FLOAT:
        if number <= hurt / 2:
            yield Step(f"int8, {number} in float", replace(int8, kept_float=kept_float(worst, number)))


def _tried(step: Step, bench: Bench) -> tuple[Attempt | None, Rung]:
    """Make the file of a rung and measure it; what cannot be made is a row of the table like all others."""
    rung = Rung(rung=step.rung, quantization=step.export.quantization, state="not run", reason=step.why_not)
    if step.why_not:
        return None, rung
    try:
        bench.folder.mkdir()
        subject = step.learn(step.export, bench) if step.learn else bench.subject
        made = attempt(step.export, replace(bench, subject=subject))
    except ProblemError as error:
        reason = "; ".join(problem.message for problem in error.problems)
        return None, rung.model_copy(update={"state": "failed", "reason": reason})
    return made, rung.model_copy(update=_measured(made, bench))


def _measured(made: Attempt, bench: Bench) -> dict[str, object]:
    found = made.comparisons["validation"]
    one = made.subject.network_inputs("validation", [0])
    calibrated = made.export.quantization in CALIBRATED
    examples = min(made.export.calibration_examples, len(made.subject.splits["training"]))
    return {
        "state": "failed" if made.problems else "chosen",
        "reason": "; ".join(p.message for p in made.problems if p.path != f"{made.export.path}.max_drop"),
        "examples": examples if calibrated else None,
        "float_tensors": made.export.kept_float,
        "bytes": made.runnable.facts.bytes,
        "latency_ms": round(latency_ms(bench.workers.runtime, made.runnable, one), 4),
        "score": found.file.scores.metrics[found.headline.name].value,
        "drop": found.drop.drop,
        "lost": found.drop.lost,
        "won": found.drop.won,
    }


def _cost(chosen: Rung, rungs: list[Rung]) -> str:
    """Return what a rung costs against the first that gave a file, in bytes and time on this host."""
    first = next(rung for rung in rungs if rung.bytes is not None)
    if first is chosen or first.latency_ms is None or chosen.latency_ms is None:
        return f"{chosen.rung} keeps the promise"
    more = (chosen.bytes or 0) - (first.bytes or 0)
    return (
        f"{chosen.rung} keeps the promise, which {first.rung} breaks; it costs {more:+,} bytes "
        f"({more / (first.bytes or 1):+.0%}) and {chosen.latency_ms / first.latency_ms:.2g} times the time on this host"
    )


def _missed(export: PlannedExport, best: Attempt, rungs: list[Rung]) -> Problem:
    found = best.comparisons["validation"]
    number = sum(rung.bytes is not None for rung in rungs)
    files = "1 file was" if number == 1 else f"{number} files were"
    return Problem(
        f"no rung of the ladder {export.name} keeps its promises ({files} tried); the one that loses least, "
        f"{next(r.rung for r in rungs if r.drop == found.drop.drop)}, loses {found.drop.drop:.4g} of "
        f"{found.headline.name}",
        path=export.path,
    )
