"""What all tests share: real data from outside of the project, and pictures made on the spot."""

from __future__ import annotations

import json
import os
import signal
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CNNPIPE_TEST_DATA"
DESELECTED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background may have it ignored
    os.environ.pop("COLUMNS", None)  # which several test processes have: what goes into a pipe has no width
    config.addinivalue_line("markers", f"real_data: reads real data from the folder that {VARIABLE} names")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real data where there is none."""
    left_out = [] if os.environ.get(VARIABLE) else [item for item in items if item.get_closest_marker("real_data")]
    config.stash[DESELECTED] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let one of several test processes tell the first how many tests it left out."""
    if told := getattr(session.config, "workeroutput", None):
        told["left_out"] = session.config.stash.get(DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from one of several test processes, which all leave out the same."""
    node.config.stash[DESELECTED] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(DESELECTED, 0):
        terminalreporter.write_line(f"Tests on real data left out, as {VARIABLE} is not set: {count}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test on real data be skipped: with the variable set, each runs or fails."""
    report = yield
    if item.get_closest_marker("real_data") and report.skipped:
        report.outcome, report.longrepr = "failed", f"a test on real data may not be skipped: {report.longrepr}"
    return report


TABLES = 1024
"""Bytes of a file's tables that are not predicted one by one."""


@pytest.fixture
def real_data() -> Path:
    """The folder with real data; only for tests with the marker of the same name."""
    folder = Path(os.environ[VARIABLE])
    if not folder.is_dir():
        pytest.fail(f"{VARIABLE} names {folder}, which is no folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def make_photos() -> Callable[..., Path]:
    """Return a function that fills a folder with JPEG photos, each of another content.

    `make_photos(folder, {"circle": 8, "square": 8}, size=(60, 80))` writes `folder/circle/0.jpg`, …; a class that is
    called like a shape shows it.
    """

    def make(folder: Path, classes: Mapping[str, int], size: tuple[int, int] = (60, 80), seed: int = 0) -> Path:
        from PIL import Image

        from cnnpipe.datasets.synthetic_shapes import SyntheticShapes

        shapes = ("circle", "square", "triangle", "star")
        for number, (name, count) in enumerate(classes.items()):
            shape = name if name in shapes else shapes[number % len(shapes)]
            source = SyntheticShapes.model_validate(
                {"examples": count, "image_size": size, "classes": (shape,), "seed": seed * 100 + number}
            )
            (folder / name).mkdir(parents=True)
            for position, example in enumerate(source.open(folder).examples):
                Image.fromarray(example.read()["images"]).save(folder / name / f"{position}.jpg", quality=90)
        return folder

    return make


@pytest.fixture(scope="session")
def write_prepared() -> Callable[..., None]:
    """Return a function that writes a data set as TensorFlow Datasets prepares it, without TensorFlow.

    `write_prepared(folder, "own", {"train": [(picture, [0]), …]}, ("a", "b"))` writes `folder/own/1.0.0`; pictures are
    the content of files. With `several`, the label is a list of classes.
    """

    def write(
        folder: Path,
        name: str,
        splits: Mapping[str, Sequence[tuple[bytes, Sequence[int]]]],
        classes: Sequence[str],
        several: bool = False,
    ) -> None:
        home = folder / name / "1.0.0"
        home.mkdir(parents=True)
        package, dimensions = "tensorflow_datasets.core.features", {"dimensions": ["-1", "-1", "3"]}
        label: dict[str, Any] = {
            "pythonClassName": f"{package}.class_label_feature.ClassLabel",
            "classLabel": {"numClasses": str(len(classes))},
        }
        if several:
            sequence = {"feature": label, "length": "-1"}
            label = {"pythonClassName": f"{package}.sequence_feature.Sequence", "sequence": sequence}
        image = {
            "pythonClassName": f"{package}.image_feature.Image",
            "image": {"dtype": "uint8", "shape": dimensions},
        }
        features = {
            "pythonClassName": f"{package}.features_dict.FeaturesDict",
            "featuresDict": {"features": {"image": image, "label": label}},
        }
        info = {
            "name": name,
            "version": "1.0.0",
            "fileFormat": "tfrecord",
            "splits": [
                {
                    "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                    "name": split,
                    "shardLengths": [str(len(examples))],
                }
                for split, examples in splits.items()
            ],
        }
        (home / "features.json").write_text(json.dumps(features))
        (home / "dataset_info.json").write_text(json.dumps(info))
        (home / "label.labels.txt").write_text("".join(f"{name}\n" for name in classes))
        for split, examples in splits.items():
            records = b"".join(_record(picture, numbers) for picture, numbers in examples)
            (home / f"{name}-{split}.tfrecord-00000-of-00001").write_bytes(records)

    return write


@pytest.fixture(scope="session")
def hold_against_prediction(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[..., None]]:
    """Return a function that converts a network with random weights, and compares the file with what was predicted.

    `hold_against_prediction(graph, quantization="int8", micro=True)`: operators with all their tensors, the arena's
    head to the byte as it is planned from the file and as LiteRT Micro takes it, the whole arena within 2 %. With
    `order=False` operators may stand in another order.
    """
    from cnnpipe.build import plan
    from cnnpipe.bundle.workers import Job, Workers
    from cnnpipe.graph import Graph
    from cnnpipe.graph.affine import input_affine, without_input_affine
    from cnnpipe.graph.lowering import lower, predicted_file_bytes
    from cnnpipe.litert_file import read_program
    from cnnpipe.program import Program, plan_arena

    def steps(program: Program) -> list[Any]:
        def told(positions: tuple[int, ...]) -> list[Any]:
            tensors = [program.tensors[position] if position >= 0 else None for position in positions]
            return [t and (t.shape, t.dtype, t.constant, t.scales) for t in tensors]

        return [(operator.name, told(operator.inputs), told(operator.outputs)) for operator in program.operators]

    def compare(
        graph: Graph,
        quantization: str = "int8",
        types: tuple[str, str] | None = None,
        carried: bool = False,
        granularity: str = "per_channel",
        micro: bool = True,
        order: bool = True,
        size: float = 0.15,
    ) -> None:
        ends = types or (("int8", "int8") if quantization == "int8" else ("float32", "float32"))
        predicted = lower(graph, quantization, ends[0], carried, granularity, ends[1])
        converted = without_input_affine(graph) if carried else graph
        file = tmp_path_factory.mktemp("lowered") / "model.tflite"
        job = Job(
            exporter={"type": "litert"},
            plan=plan(converted),
            inputs={name: converted.nodes[position].shape for name, position in converted.inputs.items()},
            weights=None,
            seed=0,
            calibration=None,
            normalization=input_affine(graph) if carried else None,
            quantization=quantization,
            input_type=ends[0],
            output_type=ends[1],
            file=file,
            granularity=granularity,
        )
        workers.converter.call("cnnpipe.bundle.workers.convert", job, timeout=900.0)
        found = read_program(file.read_bytes())
        told, seen = steps(predicted), steps(found)
        assert [name for name, *_ in told] == [name for name, *_ in seen] or not order
        assert (told if order else sorted(told, key=repr)) == (seen if order else sorted(seen, key=repr))
        assert len(predicted.tensors) == len(found.tensors)
        assert predicted.constant_bytes == found.constant_bytes
        assert predicted.macs == found.macs
        assert predicted_file_bytes(predicted) == pytest.approx(file.stat().st_size, rel=size, abs=TABLES)
        arena, planned = plan_arena(predicted), plan_arena(found)
        assert arena.head == planned.head
        if micro:
            memory = workers.runtime.call("cnnpipe.bundle.memory.measure", "litert_micro", file, timeout=300.0)
            assert memory.measured_by is not None
            assert arena.head == memory.head
            assert arena.total == pytest.approx(memory.arena, rel=0.02)

    with Workers() as workers:
        yield compare


def _record(picture: bytes, numbers: Sequence[int]) -> bytes:
    """Return a `tf.train.Example` with its length and checksums, which are left 0."""
    bytes_list = _field(1, _field(1, picture))
    int64_list = _field(3, _field(1, b"".join(_varint(number % 2**64) for number in numbers)))
    entries = ((b"image", bytes_list), (b"label", int64_list))
    example = _field(1, b"".join(_field(1, _field(1, key) + _field(2, value)) for key, value in entries))
    return struct.pack("<QI", len(example), 0) + example + bytes(4)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])
