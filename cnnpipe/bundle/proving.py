"""Proofs: what the runtimes of a device say about a file, on this host, held against LiteRT on the same examples.

Every runtime answers in a fresh process that may die or hang. What cannot be run here is `not run`, with the reason,
never `passed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cnnpipe.bundle.golden import picture
from cnnpipe.bundle.open import Bundle
from cnnpipe.bundle.parity import CHOICES, elsewhere, holds_choices
from cnnpipe.bundle.runtime import real_outputs, stored_inputs, stored_outputs
from cnnpipe.child import Child
from cnnpipe.data import SplitData
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import evaluate
from cnnpipe.exporters import TensorFacts
from cnnpipe.manifest import Manifest, Proof
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.registry import plugin_folders, room
from cnnpipe.runtimes import Answers, Cases, Runtime
from cnnpipe.task import Arrays

if TYPE_CHECKING:
    import numpy as np

MISSING_SECONDS = 120.0
"""Longest time to find out whether a runtime is installed."""
CALL_BYTES = 32 * 2**20
"""Inputs that one call of a runtime gets, at most."""
FLOAT_STEP = 1e-4
"""What counts as a step of a float output, as a share of its magnitude."""


@dataclass(frozen=True)
class Trial:
    """Examples, and what LiteRT said about them.

    Args:
        names: Their names.
        stored: Inputs as the file stores them, by tensor name, batch axis first.
        outputs: LiteRT's outputs as the file stores them, by tensor name.
        raw: Returns the raw example at a position: the content of an image file; None where it has no such form.
        truth: What the task made of the truth, by name; None when the examples have none.
    """

    names: Sequence[str]
    stored: Arrays
    outputs: Arrays
    raw: Callable[[int], bytes | None]
    truth: Arrays | None = None


@dataclass(frozen=True)
class _Truth:
    targets: Arrays


def make_trial(
    bundle: Bundle,
    inputs: Arrays,
    names: Sequence[str],
    raw: Callable[[int], bytes | None],
    truth: Arrays | None = None,
) -> Trial:
    """Let LiteRT answer examples.

    Args:
        bundle: The bundle.
        inputs: What preprocessing made of the examples, by tensor name, batch axis first.
        names: Names of the examples.
        raw: See `Trial`.
        truth: See `Trial`.
    """
    handed: list[Arrays] = []

    def call(arrays: Arrays) -> Arrays:
        handed.append(stored_inputs(bundle.runnable, arrays))
        handed.append(stored_outputs(bundle.runtime, bundle.runnable, handed[0]))
        return real_outputs(bundle.runnable, handed[-1])

    bundle.task.answer(call, inputs, bundle.facts)
    return Trial(names, handed[0], handed[1], raw, truth)


def raw_reader(split: SplitData, preprocessing: Preprocessing) -> Callable[[int], bytes | None]:
    """Return what gives the raw example at a position: the content of its file, or of a picture with its pixels.

    A source of arrays has no files; where it is not known either, the picture shows what preprocessing made.
    """
    inputs = next(iter(split.inputs.values()))

    def raw(row: int) -> bytes | None:
        example = split.readers[row]()[preprocessing.key] if split.readers else _content(split.files[row], inputs[row])
        if isinstance(example, bytes):
            return example
        return picture(example[..., None] if example.ndim == 2 else example)

    return raw


def _content(file: Path | None, pixels: np.ndarray) -> Any:
    return pixels if file is None else file.read_bytes()


def prove(runtimes: Sequence[str], bundle: Bundle, trial: Trial) -> tuple[Proof, ...]:
    """Let runtimes answer examples with the files of a bundle, and judge each by its own bounds.

    Args:
        runtimes: Names of runtimes.
        bundle: The bundle; its list of files need not be there yet.
        trial: The examples.
    """
    return tuple(_prove(name, bundle, trial) for name in runtimes)


def broken_proofs(proofs: Sequence[Proof]) -> list[Problem]:
    """Return a problem for each proof that failed."""
    return [
        Problem(f"{title_of(proof.runtime)} does not confirm the file: {proof.reason}")
        for proof in proofs
        if proof.state == "failed"
    ]


def title_of(runtime: str) -> str:
    """Return what reports call a runtime."""
    here = room("runtimes")
    return cast(type[Runtime], here.load(runtime)).title if runtime in here.files() else runtime


def _prove(name: str, bundle: Bundle, trial: Trial) -> Proof:
    if name not in room("runtimes").files():
        return Proof(runtime=name, state="not run", reason=f"no runtime is called '{name}' here")
    runtime = _runtime(name)
    if runtime.clients is not None and bundle.manifest.client not in runtime.clients:
        return Proof(runtime=name, state="not run", reason=f"it plays no {bundle.manifest.client}")
    with Child(f"the process of {runtime.title}", plugin_folders()) as child:
        try:
            if reason := child.call("cnnpipe.bundle.proving.missing", name, timeout=MISSING_SECONDS):
                return Proof(runtime=name, state="not run", reason=str(reason))
            if not runtime.answers:
                arguments = name, bundle.folder, bundle.manifest, Cases({})
                facts = child.call("cnnpipe.bundle.proving.answer", *arguments, timeout=runtime.seconds).facts
                return Proof(runtime=name, state="passed", facts=dict(facts))
            rows, found = _ask(child, runtime, bundle, trial)
            if not rows:
                return Proof(runtime=name, state="not run", reason="no example has the form that it takes")
            return _judged(runtime, bundle, trial, rows, found)
        except ProblemError as error:
            reasons = "; ".join(problem.message for problem in error.problems)
            return Proof(runtime=name, state="failed", reason=reasons)


def missing(name: str) -> str:
    """Return why a runtime cannot be run here. Runs in the process of the runtime."""
    return _runtime(name).missing()


def answer(name: str, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
    """Return what a runtime says. Runs in its process."""
    return _runtime(name).run(folder, manifest, cases)


def _runtime(name: str) -> Runtime:
    return cast(Runtime, room("runtimes").load(name).model_validate({"type": name}))


def _ask(child: Child, runtime: Runtime, bundle: Bundle, trial: Trial) -> tuple[list[int], Answers]:
    """Ask in calls of bounded size. What is measured beside the answers is that of the last call.

    Returns:
        The positions of the examples that could be asked, and the answers.
    """
    import numpy as np

    rows: list[int] = []
    parts: list[Answers] = []
    for part, cases in _cases(runtime, trial):
        arguments = runtime.type, bundle.folder, bundle.manifest, cases
        found: Answers = child.call("cnnpipe.bundle.proving.answer", *arguments, timeout=runtime.seconds)
        _check_form(found, bundle.runnable.facts.outputs, len(part))
        rows += part
        parts.append(found)
    outputs = {name: np.concatenate([part.outputs[name] for part in parts]) for name in trial.outputs if parts}
    references = [part.reference for part in parts if part.reference is not None]
    reference = {name: np.concatenate([one[name] for one in references]) for name in trial.outputs if references}
    return rows, Answers(outputs, parts[-1].facts if parts else {}, reference or None)


def _cases(runtime: Runtime, trial: Trial) -> Iterator[tuple[list[int], Cases]]:
    """Yield positions of examples, and these examples as the runtime takes them."""
    each = sum(values[:1].nbytes for values in trial.stored.values())
    step = max(1, CALL_BYTES // max(1, each))
    for start in range(0, len(trial.names), step):
        part = list(range(len(trial.names)))[start : start + step]
        if runtime.feeds_on == "raw":
            raws = {row: content for row in part if (content := trial.raw(row)) is not None}
            if raws:
                yield list(raws), Cases({}, list(raws.values()))
        else:
            yield part, Cases({name: values[part] for name, values in trial.stored.items()})


def _check_form(found: Answers, outputs: Sequence[TensorFacts], count: int) -> None:
    for tensor in outputs:
        here = found.outputs.get(tensor.name)
        if here is None:
            raise ProblemError(Problem(f"it gives no output '{tensor.name}'"))
        if here.shape != (count, *tensor.shape[1:]):
            wanted = (count, *tensor.shape[1:])
            raise ProblemError(Problem(f"its output '{tensor.name}' has the shape {here.shape} instead of {wanted}"))


def _judged(runtime: Runtime, bundle: Bundle, trial: Trial, rows: Sequence[int], found: Answers) -> Proof:
    task, facts, bounds = bundle.task, bundle.facts, runtime.bounds
    reference = found.reference or {name: values[list(rows)] for name, values in trial.outputs.items()}
    wanted = real_outputs(bundle.runnable, reference)
    here = found.outputs if runtime.feeds_on == "raw" else real_outputs(bundle.runnable, found.outputs)
    said, should = task.decode(here, facts), task.decode(wanted, facts)
    other = [rows[at] for at, pair in enumerate(zip(said, should, strict=True)) if not task.alike(*pair)]
    reasons = []
    apart = _apart(bundle.runnable.facts.outputs, here, wanted)
    steps, output, at = max(apart)
    if bounds.steps is not None and not steps <= bounds.steps:
        name = trial.names[rows[at]]
        reasons.append(
            f"its output '{output}' is {steps:.3g} steps from LiteRT's on '{name}' ({bounds.steps:g} allowed)"
        )
    if bounds.decisions and other:
        reasons.append(f"it says something else than LiteRT on {len(other)} of {len(rows)}: '{trial.names[other[0]]}'")
    score = None
    if trial.truth is not None:
        score, reason = _scored(bundle, bounds.score, trial.truth, rows, here, wanted)
        reasons += reason
    return Proof(
        runtime=runtime.type,
        state="failed" if reasons else "passed",
        reason="; ".join(reasons),
        examples=len(rows),
        differing=len(other),
        largest_steps=round(steps, 4) if steps < float("inf") else None,
        score=score,
        facts=dict(found.facts),
    )


def _apart(outputs: Sequence[TensorFacts], here: Arrays, wanted: Arrays) -> list[tuple[float, str, int]]:
    """Return how far each output is from LiteRT's at most, in steps, its name, and the position of that example."""
    import numpy as np

    found = []
    for tensor in outputs:
        reference = wanted[tensor.name].astype(np.float64)
        if holds_choices(tensor):  # a step is the share of places that a second run may choose otherwise
            errors = elsewhere(here[tensor.name], wanted[tensor.name]) / CHOICES.again
            found.append((float(errors.max()), tensor.name, int(errors.argmax())))
            continue
        step = tensor.scale or FLOAT_STEP * float(np.abs(reference).max(initial=0.0)) or FLOAT_STEP
        errors = np.abs(here[tensor.name].astype(np.float64) - reference).reshape(len(reference), -1).max(axis=1) / step
        errors = np.nan_to_num(errors, nan=np.inf, posinf=np.inf)
        found.append((float(errors.max()), tensor.name, int(errors.argmax())))
    return found


def _scored(
    bundle: Bundle, bound: float, truth: Arrays, rows: Sequence[int], here: Arrays, wanted: Arrays
) -> tuple[float, list[str]]:
    """Return the headline metric, and why it is too far from LiteRT's, if it is."""
    split = _Truth({name: values[list(rows)] for name, values in truth.items()})
    metric = bundle.task.headline().name
    score, reference = (
        evaluate(bundle.task, outputs, split, bundle.facts).scores.metrics[metric].value for outputs in (here, wanted)
    )
    if abs(score - reference) <= bound + 1e-9:
        return score, []
    return score, [f"its {metric} is {score:.4f}, that of LiteRT {reference:.4f} ({bound:g} apart allowed)"]
