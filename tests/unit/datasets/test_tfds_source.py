"""Data sets of TensorFlow Datasets: prepared from raw files, read without TensorFlow, and all that can be wrong."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from cnnpipe.datasets import Examples
from cnnpipe.datasets._tfrecord import features_of
from cnnpipe.datasets.tfds import Tfds
from cnnpipe.errors import ProblemError

CLASSES = ("angular_leaf_spot", "bean_rust", "healthy")
SPLITS = {"train": 6, "validation": 3, "test": 3}


def picture(number: int) -> bytes:
    stream = io.BytesIO()
    pillow.new("RGB", (500, 500), (number * 20, 90, 200 - number)).save(stream, "JPEG")
    return stream.getvalue()


def problems(folder: Path, **source: Any) -> str:
    with pytest.raises(ProblemError) as caught:
        Tfds(**source).open(folder)
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def head(*arguments: Any, **options: Any) -> None:
        raise requests.ConnectionError("there is no network in this test")

    monkeypatch.setattr(requests, "head", head)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archives of the data set `beans`, with a few pictures of one colour."""
    folder = tmp_path_factory.mktemp("raw")
    for split, count in SPLITS.items():
        with zipfile.ZipFile(folder / f"{split}.zip", "w") as archive:
            for number in range(count):
                archive.writestr(f"{split}/{CLASSES[number % 3]}/{number}.jpg", picture(number))
    return folder


@pytest.fixture(scope="module")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Examples]]:
    """The folder of prepared data, and what the first opening gave, which prepared it."""
    folder = tmp_path_factory.mktemp("prepared") / "made" / "when_needed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnnpipe.datasets.tfds._reachable", lambda url: False)
        yield folder, Tfds(name="beans", data_dir=str(folder), manual_dir=str(raw)).open(folder.parent)


def test_raw_files_are_prepared_and_read(prepared: tuple[Path, Examples]) -> None:
    _, found = prepared
    assert found.class_names == CLASSES
    names = [example.name for example in found.examples]
    assert names[:2] == ["train/000000", "train/000001"] and names[-1] == "test/000002"
    splits = [example.split for example in found.examples]
    assert [splits.count(split) for split in ("training", "validation", "test")] == list(SPLITS.values())
    for split, count in zip(("training", "validation", "test"), SPLITS.values(), strict=True):
        read = [example.read() for example in found.examples if example.split == split]
        truth = {picture(number): CLASSES[number % 3] for number in range(count)}
        assert {example["images"]: example["labels"] for example in read} == truth


def test_files_with_other_checksums_are_told_and_nothing_is_left_behind(prepared: tuple[Path, Examples]) -> None:
    folder, found = prepared
    *told, where = found.notes
    assert where == f"beans/0.1.0 was prepared in {folder / 'beans' / '0.1.0'}."
    assert len(told) == 3 and all("is not the file that TensorFlow Datasets registered" in note for note in told)
    assert "284fe8456ce20687f4367ae7ad94a64577e7f9fde2c2c6b1c74340ab5dc82715" in " ".join(told)
    assert not [file for file in folder.glob(".unpacked*")]


def test_prepared_data_needs_neither_raw_files_nor_tensorflow(prepared: tuple[Path, Examples]) -> None:
    folder, found = prepared
    program = (
        "import sys, pathlib; from cnnpipe.datasets.tfds import Tfds\n"
        "found = Tfds(name='beans', data_dir=sys.argv[1]).open(pathlib.Path())\n"
        "print(len(found.examples), len(found.examples[0].read()['images']), len(found.notes))\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["12", str(len(found.examples[0].read()["images"])), "4"]


def test_splits_may_be_left_to_be_cut(prepared: tuple[Path, Examples]) -> None:
    source = Tfds(name="beans", data_dir=str(prepared[0]), training_split="validation", validation_split=None)
    found = source.open(Path())
    assert [example.split for example in found.examples] == ["training"] * 3 + ["test"] * 3
    assert found.notes[-1] == "Splits of beans/0.1.0 that are not used: train."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"test_split": "tset"}, "data.source.test_split: 'beans/0.1.0' has no split 'tset'. It has train (6), "),
        ({"training_split": "train[:50%]"}, "parts of splits are cut by data.split"),
        ({"image_key": "picture"}, "the feature 'picture' of 'beans/0.1.0' does not exist, and Image is needed"),
        ({"label_key": "image"}, "the feature 'image' of 'beans/0.1.0' is Image, and ClassLabel is needed"),
    ],
)
def test_what_the_data_set_lacks(prepared: tuple[Path, Examples], source: dict[str, Any], expected: str) -> None:
    assert expected in problems(Path(), name="beans", data_dir=str(prepared[0]), **source)


def test_a_cut_file_is_one_clear_problem(prepared: tuple[Path, Examples], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(prepared[0] / "beans", tmp_path / "beans")
    (file,) = tmp_path.rglob("*train.tfrecord*")
    file.write_bytes(file.read_bytes()[:-50])
    assert "cannot be read (it is cut off: record 5 reaches beyond its end). Remove" in problems(
        tmp_path, name="beans", data_dir="."
    )


def test_several_classes_of_a_picture(tmp_path: Path, write_prepared: Callable[..., None]) -> None:
    examples = [(picture(0), [1, 0]), (picture(1), []), (picture(2), [2])]
    write_prepared(tmp_path, "own", {"train": examples}, ("a", "b", "c"), several=True)
    found = Tfds(name="own", data_dir=".").open(tmp_path)
    assert [example.read()["labels"] for example in found.examples] == [("b", "a"), (), ("c",)]


def test_examples_without_a_label_are_told_when_they_are_read(
    tmp_path: Path, write_prepared: Callable[..., None]
) -> None:
    write_prepared(tmp_path, "own", {"train": [(picture(0), [-1]), (picture(0), [])]}, ("a", "b"))
    for example in Tfds(name="own", data_dir=".").open(tmp_path).examples:
        with pytest.raises(ValueError, match="no class: is this split labelled"):
            example.read()


def test_missing_files_are_named_without_a_network(tmp_path: Path, raw: Path) -> None:
    text = problems(tmp_path, name="beans", data_dir=".")
    assert "data.source.name: 'beans' is not prepared in" in text
    assert "there is no manual_dir with test.zip, train.zip, validation.zip, and the network cannot be reached" in text
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "train.zip").write_bytes((raw / "train.zip").read_bytes())
    text = problems(tmp_path, name="beans", data_dir=".", manual_dir="raw")
    assert f"data.source.manual_dir: 'beans' is not prepared in {tmp_path / 'beans'}" in text
    assert f"{tmp_path / 'raw'} lacks test.zip, validation.zip" in text


def test_classes_are_known_before_anything_is_prepared(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    assert Tfds(name="beans", data_dir=str(folder)).class_names() == CLASSES
    assert Tfds(name="bean", data_dir=str(folder)).class_names() is None
    assert Tfds(name="beans", data_dir=str(folder), label_key="image").class_names() is None
    assert "the feature 'kind' of 'beans/0.1.0' does not" in problems(
        tmp_path, name="beans", data_dir=str(folder), label_key="kind"
    )
    assert not folder.exists()


def test_data_that_no_program_may_download(tmp_path: Path) -> None:
    text = problems(tmp_path, name="imagenet2012", data_dir=".")
    assert "data.source.manual_dir: " in text and "Set manual_dir." in text and "ILSVRC2012_img_train.tar" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bean", "TensorFlow Datasets has no 'bean'. Did you mean 'beans'?"),
        ("nothing_like_it", "https://www.tensorflow.org/datasets/catalog"),
        ("beans:9.0.0", "cannot be loaded at version 9.0.0"),
        ("beans/small", "cannot open 'beans/small'"),
        ("ImageFolder", "Write {type: image_folder, path:"),
    ],
)
def test_names_that_are_not_there(tmp_path: Path, name: str, expected: str) -> None:
    text = problems(tmp_path, name=name, data_dir=".")
    assert expected in text and "\n" not in text


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"data.source.data_dir: {tmp_path / 'file'} is no folder" in problems(
        tmp_path, name="beans", data_dir="file"
    )
    assert "data.source.manual_dir: the folder" in problems(tmp_path, name="beans", data_dir=".", manual_dir="nowhere")


def test_records_are_those_of_tensorflow() -> None:
    import tensorflow as tf

    def feature(**kind: Any) -> Any:
        return tf.train.Feature(**{f"{name}_list": getattr(tf.train, f"{name.title()}List")(value=value)
                                   for name, value in kind.items()})  # fmt: skip

    content = {
        "image": feature(bytes=[b"\x00\xffpixels" * 100]),
        "label": feature(int64=[3, -1, 2**62, -(2**63)]),
        "box": feature(float=[0.5, 1e30]),
        "nothing": tf.train.Feature(),
    }
    record = tf.train.Example(features=tf.train.Features(feature=content)).SerializeToString()
    found = features_of(record, ("image", "label", "nothing", "missing"))
    assert found == {"image": [b"\x00\xffpixels" * 100], "label": [3, -1, 2**62, -(2**63)], "nothing": []}
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(record)
        damaged[random.integers(len(record))] ^= 1 << random.integers(8)
        try:
            features_of(bytes(damaged[: random.integers(len(record))]), ("image", "label"))
        except ValueError as error:
            assert str(error) == "the record is damaged"


def test_check_imports_no_library_for_classes_that_the_recipe_states():
    program = "import sys; from cnnpipe.jobs.check import check; check('resnet8_cifar10'); print(sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'cnnpipe.datasets.tfds'" in done.stdout and "tensorflow_datasets" not in done.stdout
