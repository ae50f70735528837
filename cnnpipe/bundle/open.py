"""An exported bundle as a thing to ask: predictions from files, by the sealed preprocessing, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from cnnpipe.bundle.feed import Feed
from cnnpipe.bundle.runtime import Runnable, file_outputs
from cnnpipe.child import Child
from cnnpipe.data import read_inputs
from cnnpipe.errors import Problem, ProblemError, dotted
from cnnpipe.evaluation import restored
from cnnpipe.exporters import Exporter, FileFacts, TensorFacts
from cnnpipe.manifest import MANIFEST, InputEntry, Manifest, OutputEntry, read_manifest
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.registry import plugin_folders, room
from cnnpipe.spec import Spec
from cnnpipe.task import Arrays, Facts, Prediction, Task

if TYPE_CHECKING:
    import numpy as np

BATCH = 64


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. Close it, or use it in a `with` statement: it has a process that runs the file.

    Args:
        folder: Where it lies.
        manifest: What bundle.json says.
        task: The task, for the meaning of outputs.
        facts: Preprocessing and class names.
        runnable: The file and how to feed it.
        runtime: The process that runs it.
    """

    folder: Path
    manifest: Manifest
    task: Task
    facts: Facts
    runnable: Runnable
    runtime: Child

    def __enter__(self) -> Bundle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the runtime process."""
        self.runtime.close()

    def predict(self, examples: Sequence[Path | str | bytes | np.ndarray]) -> list[Prediction]:
        """Return what the file says about raw examples: files, their contents, or arrays as preprocessing takes them.

        Raises:
            ProblemError: An example cannot be read, or the file cannot be run.
        """
        predictions: list[Prediction] = []
        problems: list[Problem] = []
        for start in range(0, len(examples), BATCH):
            part = examples[start : start + BATCH]
            try:
                inputs = self._inputs(part)
            except ProblemError as error:
                problems += error.problems
            if not problems:
                with contradictions(self.folder):
                    found = self.task.decode(self.outputs(inputs), self.facts)
                    predictions += restored(self.task, found, _raws(part), self.facts.preprocessing)
        if problems:
            raise ProblemError(problems)
        return predictions

    def outputs(self, inputs: Arrays) -> Arrays:
        """Return outputs as real values, for preprocessed inputs by tensor name, batch axis first."""
        return self.task.answer(lambda arrays: file_outputs(self.runtime, self.runnable, arrays), inputs, self.facts)

    def _inputs(self, examples: Sequence[Any]) -> Arrays:
        import numpy as np

        preprocessing = self.facts.preprocessing
        if all(isinstance(example, (str, Path)) for example in examples):
            inputs = read_inputs(preprocessing, [Path(example) for example in examples])
        else:
            inputs = np.stack([_preprocessed(preprocessing, example) for example in examples])
        keys = self.task.signature(self.facts).inputs
        return {tensor: inputs for tensor, key in keys.items() if key == preprocessing.key}


def _raws(examples: Sequence[Any]) -> list[Any]:
    """Return the contents of files, and what is none as it is."""
    return [Path(example).read_bytes() if isinstance(example, (str, Path)) else example for example in examples]


def open_bundle(folder: Path, runtime: Child | None = None) -> Bundle:
    """Open the bundle in a folder. Nothing of its file is read before the first prediction.

    Args:
        folder: The bundle.
        runtime: The process that runs the file; one is started when left out.

    Raises:
        ProblemError: There is none, or its bundle.json is damaged.
    """
    manifest = read_manifest(folder)
    name = folder / MANIFEST
    task = cast(Task, component("pipelines", manifest.task, name))
    preprocessing = cast(Preprocessing, component("preprocessing", manifest.preprocessing.spec, name))
    exporter = cast(Exporter, component("exporters", manifest.format, name))
    file = folder / Path(manifest.file).name
    feeds = {entry.name: Feed(entry.multiply, entry.add) for entry in manifest.inputs}
    runnable = Runnable(exporter.model_dump(mode="json"), file, stated_facts(manifest), feeds)
    facts = Facts(preprocessing, manifest.class_names)
    runtime = runtime or Child("the runtime process", plugin_folders())
    return Bundle(folder, manifest, task, facts, runnable, runtime)


@contextmanager
def contradictions(folder: Path) -> Iterator[None]:
    """Turn whatever fails on a bundle that does not fit together into a problem. Its parts may come from anywhere."""
    try:
        yield
    except ProblemError:
        raise
    except Exception as error:
        raise ProblemError(
            Problem(f"the bundle {folder} contradicts itself ({type(error).__name__}: {error})")
        ) from error


def stated_facts(manifest: Manifest) -> FileFacts:
    """Return what bundle.json says about the file, in the form in which an exporter tells it from the file."""
    return FileFacts(
        inputs=tuple(map(_stated_tensor, manifest.inputs)),
        outputs=tuple(map(_stated_tensor, manifest.outputs)),
        operators=manifest.operators,
        tensors=manifest.tensors,
        bytes=manifest.files[manifest.file].bytes if manifest.file in manifest.files else 0,
        float_operators=manifest.float_operators,
    )


def component(room_name: str, spec: Mapping[str, Any], file: Path) -> Spec:
    """Return the component that a mapping in a JSON file describes.

    Raises:
        ProblemError: No component has this type, or the mapping does not fit it.
    """
    here = room(room_name)
    name = spec.get("type")
    if not isinstance(name, str) or name not in here.files():
        hint = "Perhaps it was made with plugins that are not given now." if isinstance(name, str) else ""
        raise ProblemError(Problem(f"{file} names the {room_name} '{name}', which is not known here", hint=hint))
    try:
        return here.load(name).model_validate(dict(spec))
    except ValidationError as error:
        first = error.errors()[0]
        raise ProblemError(Problem(f"{file} is damaged ({dotted(first['loc'])}: {first['msg']})")) from None


def _preprocessed(preprocessing: Preprocessing, example: Any) -> np.ndarray:
    try:
        return preprocessing.apply(Path(example).read_bytes() if isinstance(example, (str, Path)) else example)
    except (OSError, ValueError) as error:
        raise ProblemError(Problem(f"an example cannot be read ({error})")) from error


def _stated_tensor(entry: InputEntry | OutputEntry) -> TensorFacts:
    return TensorFacts(entry.name, entry.shape, entry.dtype, entry.scale, entry.zero_point)
