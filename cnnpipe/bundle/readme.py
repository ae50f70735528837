"""The README of a bundle, for the person with the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from cnnpipe.bundle.proof_line import proof_line
from cnnpipe.exporters import Exporter
from cnnpipe.manifest import Manifest
from cnnpipe.registry import room

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
"""Smallest and largest value of each integer type."""


def readme(manifest: Manifest, beside: Sequence[str] = ()) -> str:
    """Return the text of README.md: what the file takes and gives, and ten lines of Python that run it.

    Args:
        manifest: What bundle.json says.
        beside: Names of what was written for the target beside the file.
    """
    return "\n".join(
        [
            f"# {manifest.origin.get('recipe', manifest.client)}: {manifest.file} ({manifest.quantization})",
            "",
            *_weights(manifest),
            "What the file takes:",
            *(f"- `{t.name}`: {t.dtype} {list(t.shape)}, {_fill(t)}" for t in manifest.inputs),
            "",
            "What it gives:",
            *(f"- `{t.name}`: {t.dtype} {list(t.shape)}, {_read(t)}; {t.meaning}" for t in manifest.outputs),
            "",
            "`bundle.json` says all of this for programs, and under `preprocessing` how a picture becomes pixels.",
            "`sample_input.npy` and `sample_output.npy` hold real inputs and the outputs that they must give.",
            *_beside(manifest, beside),
            "",
            *_memory(manifest),
            *_proofs(manifest),
            *_example(manifest),
        ]
    )


def _beside(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """Return in a line what lies beside the file for its target, folders as such."""
    parts = (name.partition("/") for name in names)
    tops = sorted({top + slash for top, slash, _ in parts})
    listed = ", ".join(f"`{top}`" for top in tops)
    return [f"Written for the target `{manifest.target}`: {listed}."] if tops else []


def _weights(manifest: Manifest) -> list[str]:
    """Return whose weights the training began with, and under which licence they are."""
    weights = manifest.origin.get("weights")
    if not isinstance(weights, dict):
        return []
    whose = {
        "imagenet": f"the published ImageNet weights {weights.get('file')}",
        "run": f"the weights of the run {weights.get('run')}",
    }.get(str(weights.get("source")), f"the weights {weights.get('file')}")
    licence = weights.get("licence")
    under = f"Their licence: {licence}." if licence else "Their licence is not known to cnnpipe."
    return [f"Training began with {whose} (sha256 {weights.get('sha256')}). {under}", ""]


def _memory(manifest: Manifest) -> list[str]:
    """Return what a microcontroller has to reserve."""
    memory = manifest.memory
    if memory is None:
        return []
    how = f"measured by {memory.measured_by}" if memory.measured_by else "computed from the file"
    return [
        f"Its tensor arena: {memory.arena:,} bytes with the reference kernels ({memory.head:,} for tensors, "
        f"{memory.tail:,} that stay; {how}, on 64 bits).",
        f"Reserve {memory.recommended:,}: the kernels of your board may need more.",
        "",
    ]


def _proofs(manifest: Manifest) -> list[str]:
    """Return what the runtimes of the device said, on the computer that made the bundle."""
    if not manifest.proofs:
        return []
    lines = (f"- {proof_line(proof)}" for proof in manifest.proofs)
    return ["What the device's own runtimes said about the test split, on the host:", *lines, ""]


def _fill(tensor: Any) -> str:
    if tensor.dtype == "float32":
        return "the pixels 0 to 255 as they are (normalization is inside the file)"
    formula = "pixel" if tensor.multiply == 1 else f"pixel * {tensor.multiply:.9g}"
    return f"stored = {formula}{_signed(tensor.add)}" + (", rounded and clipped" if tensor.multiply != 1 else "")


def _read(tensor: Any) -> str:
    return (
        ("whole numbers" if "int" in tensor.dtype else "real values")
        if tensor.scale is None
        else f"real = {tensor.scale:.9g} * (stored{_signed(-(tensor.zero_point or 0))})"
    )


def _signed(number: float) -> str:
    """Return what is added to a term: ` - 128`, ` + 3`, or nothing for zero."""
    return f" {'+' if number > 0 else '-'} {abs(number):.9g}" if number else ""


def _example(manifest: Manifest) -> list[str]:
    """Return a program that needs the file's runtime, numpy and Pillow; for pictures that are stretched to size."""
    steps, source = manifest.preprocessing.steps, manifest.inputs[0]
    exporter = cast(type[Exporter], room("exporters").load(manifest.format["type"]))
    if not exporter.program:
        return []
    load, *run = (line.replace("{file}", manifest.file) for line in exporter.program)
    if steps.get("type") != "image" or steps["resizing"]["mode"] != "stretch" or len(manifest.inputs) != 1:
        return []
    if not steps["resizing"]["implementation"].startswith("Pillow"):
        return []
    mode, method = ("L" if steps["channels"] == 1 else "RGB"), steps["resizing"]["method"].upper()
    size = f"({steps['width']}, {steps['height']})"
    factor = "" if source.multiply == 1 else f" * {source.multiply!r}"
    fill = f"np.rint(pixels{factor}{_signed(source.add)})" if source.dtype != "float32" else "pixels"
    if factor and source.dtype in LIMITS:  # without a factor a pixel always fits
        fill = f"np.clip({fill}, {LIMITS[source.dtype][0]}, {LIMITS[source.dtype][1]})"
    first = manifest.outputs[0]
    read = (
        "stored"
        if first.scale is None
        else f"{first.scale!r} * (stored.astype(np.float32){_signed(-(first.zero_point or 0))})"
    )
    show = [f"print({first.name})"]
    if manifest.class_names is not None and len(manifest.class_names) == first.shape[-1]:
        show = [
            'labels = open("labels.txt", encoding="utf-8").read().splitlines()',
            f"for value, label in sorted(zip({first.name}[0], labels), reverse=True)[:5]:",
            '    print(label, f"{value:.3f}")',
        ]
    return [
        "For a picture of 8 bits without transparency:",
        "",
        "```python",
        "import sys",
        "import numpy as np",
        load,
        "from PIL import Image, ImageOps",
        "",
        f'picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("{mode}")',
        f"pixels = np.asarray(picture.resize({size}, Image.Resampling.{method}), np.float32)",
        f"stored = {fill}.astype(np.{source.dtype}).reshape({list(source.shape)})",
        *run,
        f"{first.name} = {read}",
        *show,
        "```",
        "",
    ]
