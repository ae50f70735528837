"""What the model of this folder says about pictures. Needs Python 3.10, ai-edge-litert, numpy and pillow, no more.

    python predict.py PICTURE ...          the most likely labels of each picture; a folder stands for its files
    python predict.py --json PICTURE ...   one line of JSON for each: the file and all outputs as real values

How a picture becomes pixels, and pixels the input, stands in bundle.json; this file does what is said there.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
TRANSPARENT = ("LA", "La", "RGBA", "RGBa", "PA")
METHODS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def pixels_of(file: Path, steps: Mapping[str, Any]) -> np.ndarray:
    """Return a picture as (height, width, channels), uint8, by the steps of bundle.json."""
    with Image.open(file, formats=steps["decoding"]["formats"]) as opened:
        upright = opaque(ImageOps.exif_transpose(opened), steps["alpha"]["composited_on"])
    picture = upright.convert("L" if steps["channels"] == 1 else "RGB")
    return np.asarray(fitted(picture, steps)).reshape(steps["height"], steps["width"], steps["channels"])


def opaque(picture: Image.Image, background: int) -> Image.Image:
    """Return a picture of 8 bits without transparency."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("a grayscale picture of more than 16 bits cannot be read")
        gray = (values + 128) // 257
        if "transparency" in picture.info:
            gray = np.where(values == picture.info["transparency"], background, gray)
        return Image.fromarray(gray.astype(np.uint8))
    if picture.mode in TRANSPARENT or "transparency" in picture.info:
        pixels = np.asarray(picture.convert("RGBA")).astype(np.uint32)
        alpha = pixels[..., 3:]
        mixed = (pixels[..., :3] * alpha + background * (255 - alpha) + 127) // 255
        return Image.fromarray(mixed.astype(np.uint8))
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def fitted(picture: Image.Image, steps: Mapping[str, Any]) -> Image.Image:
    """Return a picture in the size of the input: stretched, cut evenly, or filled up evenly."""
    size, resizing = (steps["width"], steps["height"]), steps["resizing"]
    if resizing["mode"] == "stretch":
        return resized(picture, size, resizing)
    sides = list(zip(picture.size, size, strict=True))
    if resizing["mode"] == "crop":
        scale = min(old / new for old, new in sides)
        width, height = (at_least_one(side * scale) for side in size)
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        return resized(picture.crop((left, top, left + width, top + height)), size, resizing)
    scale = min(new / old for old, new in sides)
    inner = (at_least_one(picture.width * scale), at_least_one(picture.height * scale))
    canvas = Image.new(picture.mode, size, (resizing["fill_value"],) * len(picture.getbands()))
    canvas.paste(resized(picture, inner, resizing), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas


def at_least_one(length: float) -> int:
    """Return a length in whole pixels."""
    return max(1, int(length + 0.5))


def resized(picture: Image.Image, size: tuple[int, int], resizing: Mapping[str, Any]) -> Image.Image:
    """Return a picture in another size, with Pillow or, bit by bit, as MediaPipe Tasks does it."""
    if resizing["implementation"].startswith("Pillow"):
        return picture.resize(size, METHODS[resizing["method"]])
    pixels = np.asarray(picture).astype(np.int32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    left, right, x = between(pixels.shape[1], size[0])
    above, below, y = between(pixels.shape[0], size[1])
    x, y = x[:, None], y[:, None, None]
    upper, lower = (rows[:, left] * (32 - x) + rows[:, right] * x for rows in (pixels[above], pixels[below]))
    mixed = ((upper * (32 - y) + lower * y + 512) // 1024).astype(np.uint8)
    return Image.fromarray(mixed.squeeze(2) if mixed.shape[2] == 1 else mixed)


def between(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two old neighbours of each new position, and how far it is from the first, in 32nds."""
    places = np.rint(np.arange(new) * (old / new) * 32).astype(np.int64)
    first = places // 32
    return np.minimum(first, old - 1), np.minimum(first + 1, old - 1), places % 32


def stored_input(pixels: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    """Return pixels as the input tensor stores them."""
    values = pixels.astype(np.float32) * np.float32(entry["multiply"]) + np.float32(entry["add"])
    if entry["dtype"].startswith("float"):
        return values.astype(entry["dtype"])
    limits = np.iinfo(entry["dtype"])
    rounded: np.ndarray = np.clip(np.rint(values), limits.min, limits.max)
    return rounded.astype(entry["dtype"])


def real_output(stored: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    """Return what an output tensor stores as real values."""
    if entry["scale"] is None:
        return stored.astype(np.float32)
    real: np.ndarray = (stored.astype(np.float32) - np.float32(entry["zero_point"])) * np.float32(entry["scale"])
    return real


def litert(file: Path) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Return a function that runs a .tflite file: the stored input to the stored outputs, in the file's order."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (source,), ends = interpreter.get_input_details(), interpreter.get_output_details()

    def run(stored: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(source["index"], stored)
        interpreter.invoke()
        return [interpreter.get_tensor(end["index"]) for end in ends]

    return run


def onnx(file: Path) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Return a function that runs an .onnx file; the same, and needs onnxruntime in the place of ai-edge-litert."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    return lambda stored: list(session.run(None, {source.name: stored}))


class Model:
    """The file of this folder, by what bundle.json says."""

    def __init__(self, folder: Path = HERE) -> None:
        self.bundle = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        file = folder / self.bundle["file"]
        self.run = onnx(file) if file.suffix == ".onnx" else litert(file)

    def __call__(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Return all outputs for the pixels of one picture, by name."""
        (entry,), ends = self.bundle["inputs"], self.bundle["outputs"]
        found = self.run(stored_input(pixels, entry)[None])
        return {end["name"]: real_output(stored[0], end) for end, stored in zip(ends, found, strict=True)}


def told(bundle: Mapping[str, Any], outputs: Mapping[str, np.ndarray], most: int = 5) -> list[str]:
    """Return an output in words: the labels with the largest values where each value has one."""
    names, lines = bundle["class_names"], []
    for entry in bundle["outputs"]:
        values = outputs[entry["name"]].reshape(-1)
        labels = names[-1:] if names and values.size == 1 and len(names) == 2 else names
        if labels and len(labels) == values.size:
            order = np.argsort(-values, kind="stable")[:most]
            lines += [f"  {labels[index]} {values[index]:.4f}" for index in order]
        else:
            lines.append(f"  {entry['name']} {list(entry['shape'][1:])}: {entry['meaning']}")
    return lines


def finite(values: np.ndarray) -> list[float | None]:
    """Return values as JSON can hold them."""
    return [value if math.isfinite(value) else None for value in values.reshape(-1).tolist()]


def files_of(paths: Iterable[str]) -> Iterator[Path]:
    """Yield files, those of folders in the order of their names."""
    for path in map(Path, paths):
        yield from sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def main() -> int:
    """Print what the model says; exit code 1 when a picture cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON for each picture")
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    given, failed = parser.parse_args(), 0
    model = Model()
    for file in files_of(given.pictures):
        try:
            outputs = model(pixels_of(file, model.bundle["preprocessing"]["steps"]))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            failed = 1
            print(f"{file}: cannot be read ({error})", file=sys.stderr)
            continue
        if given.json:
            print(json.dumps({"file": str(file), "outputs": {name: finite(out) for name, out in outputs.items()}}))
        else:
            print("\n".join([str(file), *told(model.bundle, outputs)]))
    return failed


if __name__ == "__main__":
    sys.exit(main())
