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
    config.addinivalue_line("markers", f"real_data: reads real data from the folder that {VARIABLE} names")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real data where there is none."""
    left_out = [] if os.environ.get(VARIABLE) else [item for item in items if item.get_closest_marker("real_data")]
    config.stash[DESELECTED] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


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
