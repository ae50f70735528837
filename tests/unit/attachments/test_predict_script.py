"""The predict.py of a bundle sees exactly the pixels that the sealed preprocessing gives."""

from __future__ import annotations

import importlib.util
import io
import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.bundle.feed import Feed, dequantize
from cnnpipe.exporters import TensorFacts
from cnnpipe.registry import Component, room

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16")
SIZES = ((31, 17), (5, 40), (8, 12))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The program as it lies in a bundle."""
    import sys

    source = Path(__file__).resolve().parents[3] / "cnnpipe" / "attachments" / "_predict.py"
    file = tmp_path_factory.mktemp("bundle") / "predict.py"
    file.write_bytes(source.read_bytes())
    spec = importlib.util.spec_from_file_location("bundle_predict", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bundle_predict"] = module
    spec.loader.exec_module(module)
    return module


def _picture(mode: str, size: tuple[int, int], seed: int) -> bytes:
    random = np.random.default_rng(seed)
    stream = io.BytesIO()
    if mode == "I;16":
        values = random.integers(0, 65536, size[::-1])
        made = Image.fromarray(values.astype(np.uint16))
    else:
        made = Image.fromarray(random.integers(0, 256, (*size[::-1], 4), dtype=np.uint8)).convert(
            mode if mode != "PA" else "P"
        )
    extra: dict[str, Any] = {"transparency": 3} if mode == "PA" else {}
    if mode == "CMYK":
        made.save(stream, "JPEG", quality=95)
    else:
        made.save(stream, "PNG", **extra)
    return stream.getvalue()


def _turned(orientation: int) -> bytes:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    exif = picture.getexif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    picture.save(stream, "PNG", exif=exif)
    return stream.getvalue()


def _same(script: ModuleType, content: bytes, spec: dict[str, Any]) -> None:
    preprocessing = Component("preprocessing").validate({"type": "image", "image_size": (9, 14), **spec})
    found = script.pixels_of(io.BytesIO(content), preprocessing.describe())
    assert np.array_equal(found, preprocessing.apply(content))


@pytest.mark.parametrize(
    ("resize", "interpolation"),
    list(itertools.product(("stretch", "crop", "pad"), ("nearest", "bilinear", "bicubic", "mediapipe"))),
)
def test_every_kind_of_picture_becomes_the_same_pixels(script: ModuleType, resize: str, interpolation: str) -> None:
    for number, (mode, size, color) in enumerate(itertools.product(MODES, SIZES, ("rgb", "grayscale"))):
        spec = {"resize": resize, "interpolation": interpolation, "color_mode": color, "background": 40}
        if resize == "pad":
            spec["fill_value"] = 9
        _same(script, _picture(mode, size, number), spec)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_becomes_the_same_pixels(script: ModuleType, orientation: int) -> None:
    _same(script, _turned(orientation), {})


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
def test_tensors_are_filled_and_read_as_in_cnnpipe(script: ModuleType, dtype: str) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    for multiply, add in ((1.0, -128.0), (1 / 1.7, 3.0), (1.0, 0.0)):
        entry = {"multiply": multiply, "add": add, "dtype": dtype}
        assert np.array_equal(script.stored_input(pixels, entry), Feed(multiply, add).apply(pixels, dtype))
    stored = pixels.astype(dtype)
    for scale, zero_point in ((0.037, -5), (None, None)):
        tensor = TensorFacts("x", (1,), dtype, scale, zero_point)
        found = script.real_output(stored, {"scale": scale, "zero_point": zero_point})
        assert np.array_equal(found, dequantize(stored, tensor))


def test_labels_are_told_best_first_and_a_single_number_is_that_of_the_second_class(script: ModuleType) -> None:
    outputs = {"p": np.array([0.2, 0.7, 0.1], np.float32)}
    entry = {"name": "p", "shape": [1, 3], "meaning": "probability"}
    assert script.told({"class_names": ["a", "b", "c"], "outputs": [entry]}, outputs) == [
        "  b 0.7000",
        "  a 0.2000",
        "  c 0.1000",
    ]
    one = {"name": "p", "shape": [1, 1], "meaning": "probability"}
    yes = {"p": np.array([0.75], np.float32)}
    assert script.told({"class_names": ["no", "yes"], "outputs": [one]}, yes) == ["  yes 0.7500"]


def test_it_imports_nothing_beyond_its_three_packages() -> None:
    import ast
    import sys

    tree = ast.parse((Path(room("attachments").files()["predict_script"]).with_name("_predict.py")).read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    allowed = {"numpy", "PIL", "ai_edge_litert", "onnxruntime"}
    assert imported - allowed <= set(sys.stdlib_module_names)
    assert {"numpy", "PIL", "ai_edge_litert"} <= imported
