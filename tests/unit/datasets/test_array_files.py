"""The sources of array files: IDX files and arrays of NumPy."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.datasets import Dataset, Examples
from cnnpipe.datasets.idx import Idx
from cnnpipe.datasets.numpy import Numpy
from cnnpipe.errors import ProblemError

IMAGES = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


def opened(source: Dataset, folder: Path) -> Examples:
    return source.open(folder)


def problems(source: Dataset, folder: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        source.open(folder)
    return str(caught.value)


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder with the four standard files: the training plain, the test gzipped."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:3])))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[:3])))
    return tmp_path


def check(found: Examples, names: tuple[str, ...], counts: dict[str | None, int]) -> None:
    assert found.class_names == names
    splits = [example.split for example in found.examples]
    assert {split: splits.count(split) for split in splits} == counts
    for split in counts:
        examples = [example.read() for example in found.examples if example.split == split]
        assert np.array_equal([example["images"] for example in examples], IMAGES[: len(examples)])
        assert [example["labels"] for example in examples] == [names[label] for label in LABELS[: len(examples)]]


# ── IDX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_four_standard_files(mnist: Path) -> None:
    check(opened(Idx(path="."), mnist), ("0", "1", "2"), {"training": 6, "test": 3})
    check(opened(Idx(path=".", classes=("a", "b", "c")), mnist), ("a", "b", "c"), {"training": 6, "test": 3})


def test_without_a_pair_for_the_test(mnist: Path) -> None:
    for file in mnist.glob("t10k*"):
        file.unlink()
    check(opened(Idx(path="."), mnist), ("0", "1", "2"), {"training": 6})


def test_files_of_other_names(mnist: Path) -> None:
    pair = {"images": "t10k-images-idx3-ubyte.gz", "labels": "t10k-labels-idx1-ubyte.gz"}
    found = opened(Idx.model_validate({"training": pair, "validation": pair}), mnist)
    check(found, ("0", "1", "2"), {"training": 3, "validation": 3})
    pair["images"] = "t10k-images.gz"
    text = problems(Idx.model_validate({"training": pair}), mnist)
    assert "data.source.training.images: " in text and "Did you mean" in text


@pytest.mark.parametrize("source", [{}, {"path": ".", "training": {"images": "a", "labels": "b"}}, {"test": None}])
def test_where_the_files_are_is_said_once(source: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs path|either path or training"):
        Idx.model_validate(source)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("train-images-idx3-ubyte", None, "holds no train-images-idx3-ubyte (nor with .gz)"),
        ("t10k-labels-idx1-ubyte.gz", None, "holds no t10k-labels-idx1-ubyte (nor with .gz)"),
        ("train-images-idx3-ubyte", idx(IMAGES)[:-1], "6 x 4 x 5 values are announced, and 119 bytes follow"),
        ("train-images-idx3-ubyte", idx(IMAGES) + b"!", "6 x 4 x 5 values are announced, and 121 bytes follow"),
        ("train-images-idx3-ubyte", idx(IMAGES)[:7], "its header is cut off"),
        ("train-images-idx3-ubyte", b"", "it is no IDX file"),
        ("train-images-idx3-ubyte", b"GIF89a...", "it is no IDX file"),
        ("train-images-idx3-ubyte", idx(IMAGES, kind=13), "values of type 0x0d. Only unsigned bytes"),
        ("train-labels-idx1-ubyte", idx(LABELS[:4]), "holds 6 images, but"),
        ("train-images-idx3-ubyte", idx(LABELS), "have the shape (6,)"),
        ("train-labels-idx1-ubyte", idx(LABELS.reshape(1, 6, 1)), "uint8 of shape (1, 6, 1)"),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(IMAGES))[:-20], "cannot be read (Compressed file ended"),
        ("t10k-images-idx3-ubyte.gz", idx(IMAGES), "cannot be read (Not a gzipped file"),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(IMAGES))[:30] + bytes(200), "cannot be read"),
    ],
)
def test_damaged_idx_files(mnist: Path, name: str, content: bytes | None, expected: str) -> None:
    (mnist / name).unlink() if content is None else (mnist / name).write_bytes(content)
    assert expected in problems(Idx(path="."), mnist)


def test_labels_out_of_range(mnist: Path) -> None:
    text = problems(Idx(path=".", classes=("a", "b")), mnist)
    assert "2 of 6 labels in" in text and "Class numbers must be 0 to 1; label 2 is 2" in text


@pytest.mark.real_data
def test_fashion_mnist_is_read(real_data: Path) -> None:
    found = opened(Idx(path=str(real_data / "fashion-mnist")), Path())
    splits = [example.split for example in found.examples]
    assert (splits.count("training"), splits.count("test")) == (60_000, 10_000)
    assert found.class_names == tuple("0123456789")


# ── NumPy ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder


@pytest.mark.parametrize(
    ("arrays", "keys", "counts"),
    [
        (("x_train", "y_train", "x_test", "y_test"), {}, {"training": 6, "test": 6}),
        (("x_train", "y_train", "x_val", "y_val"), {}, {"training": 6, "validation": 6}),
        (("train_images", "train_labels"), {"image_key": "images", "label_key": "labels"}, {"training": 6}),
        (("x", "y"), {}, {None: 6}),
        (("pixels", "y"), {"image_key": "pixels"}, {None: 6}),
    ],
)
def test_arrays_by_name(tmp_path: Path, arrays: tuple[str, ...], keys: dict[str, str], counts: Any) -> None:
    saved(tmp_path, **{name: (IMAGES, LABELS)[number % 2] for number, name in enumerate(arrays)})
    check(opened(Numpy(path="data.npz", **keys), tmp_path), ("0", "1", "2"), counts)


def test_labels_may_be_columns_or_text(tmp_path: Path) -> None:
    saved(tmp_path, x=IMAGES, y=LABELS.reshape(-1, 1).astype(np.int64))
    check(opened(Numpy(path="data.npz", classes=("a", "b", "c")), tmp_path), ("a", "b", "c"), {None: 6})
    saved(tmp_path, x=IMAGES, y=np.array(["a", "b", "c"])[LABELS])
    check(opened(Numpy(path="data.npz"), tmp_path), ("a", "b", "c"), {None: 6})


def test_zeros_and_ones_are_any_number_of_classes(tmp_path: Path) -> None:
    saved(tmp_path, x=IMAGES[:3], y=np.array([[1, 0], [1, 1], [0, 0]]))
    found = opened(Numpy(path="data.npz", classes=("a", "b")), tmp_path)
    assert [example.read()["labels"] for example in found.examples] == [("a",), ("a", "b"), ()]


def test_other_arrays_are_told(tmp_path: Path) -> None:
    saved(tmp_path, x=IMAGES, y=LABELS, ids=LABELS, mean=np.zeros(3))
    assert opened(Numpy(path="data.npz"), tmp_path).notes == ("Ignored in data.npz: ids, mean.",)


FLOATS = IMAGES / 255


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": IMAGES}, "data.source.label_key: "),
        ({"X": IMAGES, "y": LABELS}, "The file holds X, y"),
        ({"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES}, "holds 'x_test', but no labels for it"),
        ({"x": IMAGES, "x_train": IMAGES, "y": LABELS}, "'x' of all examples, and also x_train"),
        ({"x_val": IMAGES, "val_x": IMAGES, "y": LABELS}, "both are the validation split"),
        ({"x": FLOATS.astype(np.float32), "y": LABELS}, "save (images * 255).round().astype('uint8')"),
        ({"x": FLOATS * 255, "y": LABELS}, "save images.round().clip(0, 255).astype('uint8')"),
        ({"x": IMAGES.astype(np.int32), "y": LABELS}, "are int32. Images are uint8, 0..255"),
        ({"x": IMAGES.reshape(6, -1), "y": LABELS}, "have the shape (6, 20)"),
        ({"x": np.zeros((6, 3, 8, 9), np.uint8), "y": LABELS}, "save images.transpose(0, 2, 3, 1)"),
        ({"x": IMAGES[:0], "y": LABELS[:0]}, "have the shape (0, 4, 5)"),
        ({"x": IMAGES, "y": LABELS[:5]}, "holds 6 images, but y 5 labels"),
        ({"x": IMAGES, "y": LABELS.astype(float)}, "float64 of shape (6,)"),
        ({"x": IMAGES, "y": LABELS.astype(int) - 1}, "2 of 6 labels in y are out of range"),
        ({"x": IMAGES, "y": np.eye(6) * 3}, "are not all 0 or 1"),
        ({"x": np.array([IMAGES[0], None], object), "y": LABELS}, "the array 'x' holds Python objects"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path: Path, arrays: dict[str, Any], expected: str) -> None:
    assert expected in problems(Numpy(path="data.npz"), saved(tmp_path, **arrays))


def test_classes_that_do_not_fit_the_labels(tmp_path: Path) -> None:
    saved(tmp_path, x=IMAGES, y=np.array(["a", "b", "c"])[LABELS])
    assert "say 'c', which is none of the classes" in problems(Numpy(path="data.npz", classes=("a", "b")), tmp_path)
    saved(tmp_path, x=IMAGES, y=np.eye(6, dtype=int))
    assert "6 columns, but there are 2" in problems(Numpy(path="data.npz", classes=("a", "b")), tmp_path)


def test_damaged_npz_files(tmp_path: Path) -> None:
    file = saved(tmp_path, x=IMAGES, y=LABELS) / "data.npz"
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes(40) + content[140:])
    assert "data.npz cannot be read (" in problems(Numpy(path="data.npz"), tmp_path)
    np.save(tmp_path / "single.npy", IMAGES)
    for other in (b"", b"no zip", content[:-30], (tmp_path / "single.npy").read_bytes()):
        file.write_bytes(other)
        assert "is no .npz file, or only the beginning" in problems(Numpy(path="data.npz"), tmp_path)
    assert "does not exist" in problems(Numpy(path="other.npz"), tmp_path)


def test_relative_paths_of_pairs_belong_to_the_recipe(mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    from cnnpipe.recipe.load import load_recipe

    recipe = {
        "task": {"type": "image_classification", "classes": 3},
        "data": {
            "source": {"type": "idx", "training": {"images": "a", "labels": "b"}},
            "preprocessing": {"image_size": [4, 5]},
        },
        "model": {"blocks": ["flatten"]},
        "training": {"epochs": 1},
    }
    (mnist / "recipe.yaml").write_text(json.dumps(recipe))
    source = load_recipe(mnist / "recipe.yaml").recipe.data.source
    assert isinstance(source, Idx) and source.training is not None
    assert Path(source.training.images) == mnist / "a"
