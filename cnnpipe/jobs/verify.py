"""Verify a bundle: everything that is stated of it again, from the bundle alone, and on given data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cnnpipe.bundle.attached import held_by_sha256
from cnnpipe.bundle.check import check_bundle, golden_values
from cnnpipe.bundle.open import Bundle, contradictions, open_bundle
from cnnpipe.bundle.proving import Trial, broken_proofs, make_trial, prove, raw_reader
from cnnpipe.bundle.runtime import real_outputs, stored_outputs
from cnnpipe.bundle.unpack import unpacked
from cnnpipe.child import Child
from cnnpipe.data import SplitData
from cnnpipe.datasets import Examples
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import evaluate
from cnnpipe.events import Listener
from cnnpipe.inspection import source_of
from cnnpipe.jobs.stated import stated_score
from cnnpipe.manifest import Proof, read_parity
from cnnpipe.reading import read_examples
from cnnpipe.registry import plugin_folders, room
from cnnpipe.targets import Target
from cnnpipe.task import Metric, Score

if TYPE_CHECKING:
    import numpy as np

MEMORY = 2**30
"""Bytes of pixels that are kept in memory; more lie in a temporary file."""
RUNTIME_MEMORY = 8 * 2**30
"""Bytes of address space for the process that runs the file, which may come from anywhere."""
LISTED = 5


@dataclass(frozen=True)
class DataResult:
    """How the file of a bundle does on given data.

    Args:
        score: The headline metric in LiteRT.
        stated: What the bundle states of its own test split; None when it states nothing.
        proofs: What the runtimes of its target say of the same examples.
        notes: What was decided, one sentence each.
    """

    score: Score
    stated: Score | None
    proofs: tuple[Proof, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class VerifyResult:
    """What became of the promises of a bundle.

    Args:
        bundle: What was given.
        name: Target and quantization.
        metric: The headline metric.
        samples: Number of golden samples.
        problems: Everything that is wrong; empty when all that could be run holds.
        proofs: What the runtimes of its target say of the golden samples.
        data: How it does on given data; None when there was none.
        notes: What could not be compared, one sentence each.
    """

    bundle: Path
    name: str
    metric: Metric
    samples: int
    problems: tuple[Problem, ...]
    proofs: tuple[Proof, ...]
    data: DataResult | None
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing that could be run here is wrong."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: bundle, passed, problems, notes, proofs, data."""
        data = self.data and {
            "score": asdict(self.data.score),
            "stated": self.data.stated and asdict(self.data.stated),
            "proofs": [proof.model_dump(mode="json") for proof in self.data.proofs],
            "notes": list(self.data.notes),
        }
        return {
            "bundle": str(self.bundle),
            "passed": self.passed,
            "problems": [problem.message for problem in self.problems],
            "notes": list(self.notes),
            "proofs": [proof.model_dump(mode="json") for proof in self.proofs],
            "data": data,
        }


def verify(bundle: str | Path, data: str | Path | None = None, listener: Listener | None = None) -> VerifyResult:
    """Check everything that a bundle states, and let every runtime of its target answer again.

    Args:
        bundle: A bundle's folder, or a zip file of it.
        data: Pictures to measure it on: a folder with a folder for each class, or a table. Where the data says what is
            for testing, only that is taken.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no bundle, or it cannot be read at all; or the data does not fit it. What is wrong with a
            readable bundle is in the result.
    """
    hears = listener or Listener()
    runtime = Child("the runtime process", plugin_folders(), RUNTIME_MEMORY)
    with unpacked(Path(bundle)) as folder, open_bundle(folder, runtime) as opened, contradictions(folder):
        hears.stage("checking the bundle")
        problems = check_bundle(folder, opened.runtime)
        runtimes = _runtimes(opened)
        hears.stage("asking runtimes")
        proofs, samples = _golden_proofs(opened, runtimes, whole=not problems)
        problems += broken_proofs(proofs)
        found = None
        if data is not None and not problems:
            hears.stage("reading the data")
            found = _on_data(opened, Path(data), runtimes, hears)
            problems += [*broken_proofs(found.proofs), *_worse(opened.task.headline(), found)]
        name, metric = f"{opened.manifest.target} {opened.manifest.quantization}", opened.task.headline()
        notes = held_by_sha256(opened.manifest)
        return VerifyResult(Path(bundle), name, metric, samples, tuple(problems), proofs, found, notes)


def _runtimes(bundle: Bundle) -> tuple[str, ...]:
    """Return the runtimes of the target, and those that were asked when the bundle was made."""
    targets, name = room("targets"), bundle.manifest.target
    own = cast(type[Target], targets.load(name)).runtimes if name in targets.files() else ()
    return tuple(dict.fromkeys((*own, *(proof.runtime for proof in bundle.manifest.proofs))))


def _golden_proofs(bundle: Bundle, runtimes: Sequence[str], whole: bool) -> tuple[tuple[Proof, ...], int]:
    """Let runtimes answer the golden samples, and return how many there are; ask nobody when the bundle is broken."""
    if not whole:
        reason = "the bundle does not pass its own check"
        return tuple(Proof(runtime=name, state="not run", reason=reason) for name in runtimes), 0
    samples = read_parity(bundle.folder).samples
    inputs = golden_values(bundle.folder, bundle.manifest.inputs)
    originals = [sample.original and (bundle.folder / sample.original).read_bytes() for sample in samples]
    outputs = stored_outputs(bundle.runtime, bundle.runnable, inputs)
    trial = Trial([sample.name for sample in samples], inputs, outputs, lambda row: originals[row] or None)
    return prove(runtimes, bundle, trial), len(samples)


def _on_data(bundle: Bundle, path: Path, runtimes: Sequence[str], listener: Listener) -> DataResult:
    listing, notes = _examples(bundle, path)
    split = _read(bundle, listing, listener)
    listener.stage("measuring")
    raw = raw_reader(split, bundle.facts.preprocessing)
    trial = make_trial(bundle, split.inputs, split.names, raw, split.targets)
    found = evaluate(bundle.task, real_outputs(bundle.runnable, trial.outputs), split, bundle.facts).scores
    metric = bundle.task.headline().name
    listener.stage("asking runtimes")
    return DataResult(
        found.metrics[metric], stated_score(bundle.manifest, "file", metric), prove(runtimes, bundle, trial), notes
    )


def _examples(bundle: Bundle, path: Path) -> tuple[Examples, tuple[str, ...]]:
    """Return the examples to measure, and what was decided.

    Raises:
        ProblemError: The data is not there, or has classes that the bundle does not know.
    """
    listing = source_of(path, bundle.task.needs).open(path.parent)
    known = bundle.manifest.class_names
    foreign = [name for name in listing.class_names or () if known is not None and name not in known]
    if foreign:
        hint = f"Its classes are {', '.join(known or ())}."
        raise ProblemError(Problem(f"{path} has classes that the bundle does not know ({_some(foreign)})", hint=hint))
    test = [example for example in listing.examples if example.split == "test"]
    if test and len(test) < len(listing.examples):
        note = f"Of {len(listing.examples):,} examples only the {len(test):,} of the test split are taken."
        return Examples(test, listing.class_names), (*listing.told(), note)
    if not listing.examples:
        raise ProblemError(Problem(f"{path} holds no examples"))
    return listing, listing.told()


def _read(bundle: Bundle, listing: Examples, listener: Listener) -> SplitData:
    examples = listing.examples
    facts = replace(bundle.facts, source_class_names=listing.class_names)
    reading = read_examples(examples, bundle.task, facts, None, listener, MEMORY)
    wrong = {**reading.unreadable, **reading.unusable}
    if wrong:
        shown = [Problem(f"{examples[at].file or examples[at].name}: {wrong[at]}") for at in sorted(wrong)[:LISTED]]
        more = [Problem(f"{len(wrong) - LISTED} more such examples")] if len(wrong) > LISTED else []
        raise ProblemError([*shown, *more])
    keys = bundle.task.signature(bundle.facts).inputs
    inputs: dict[str, np.ndarray] = {
        tensor: reading.pixels for tensor, key in keys.items() if key == bundle.facts.preprocessing.key
    }
    names, files = tuple(example.name for example in examples), tuple(example.file for example in examples)
    return SplitData(names, files, inputs, reading.targets, tuple(example.read for example in examples))


def _worse(metric: Metric, found: DataResult) -> list[Problem]:
    """Return a problem when the score is surely worse than stated: when the 95 % intervals do not meet."""
    here, stated = found.score, found.stated
    if stated is None or here.interval is None or stated.interval is None:
        return []
    higher = metric.higher_is_better
    worse = here.interval[1] < stated.interval[0] if higher else here.interval[0] > stated.interval[1]
    if not worse:
        return []
    message = (
        f"{metric.name} on the given data is {here.value:.4f} (n={here.n}), the bundle states {stated.value:.4f} "
        f"(n={stated.n}); their 95 % intervals do not meet"
    )
    return [Problem(message, hint="The file is another one than was measured, or the data is of another kind.")]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
