"""The inside of `model_settings.h`: types, sizes and scales of inputs and outputs, pictures, labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from cnnpipe.attachments import _c_text
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import InputEntry, Manifest, OutputEntry

Entry = InputEntry | OutputEntry
LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
"""Smallest and largest value of each quantized type."""


def suffix(entries: Sequence[Entry], place: int) -> str:
    """Return what tells names of several inputs or outputs apart: nothing when there is one."""
    return str(place) if len(entries) > 1 else ""


def body(manifest: Manifest) -> str:
    """Return the declarations.

    Raises:
        ProblemError: An input or output has a type that LiteRT Micro's clients cannot hold.
    """
    lines: list[str] = []
    for place, entry in enumerate(manifest.inputs):
        lines += _tensor("Input", suffix(manifest.inputs, place), entry, f"as the tensor stores it; {_layout(entry)}")
        lines += [*_filled(suffix(manifest.inputs, place), entry), ""]
    lines += _picture(manifest)
    for place, output in enumerate(manifest.outputs):
        lines += _tensor("Output", suffix(manifest.outputs, place), output, one_line(output.meaning))
        lines += [*_real(suffix(manifest.outputs, place), output), ""]
    return "\n".join((*lines, *_labels(manifest)))


def _tensor(role: str, number: str, entry: Entry, meaning: str) -> Iterator[str]:
    if entry.dtype not in _c_text.TYPES:
        raise ProblemError(Problem(f"a program in C++ cannot hold '{entry.name}', which is of type {entry.dtype}"))
    yield f"// {role} '{one_line(entry.name)}', {entry.dtype} {list(entry.shape)}: {meaning}"
    yield f"using {role}{number}Type = {_c_text.TYPES[entry.dtype]};"
    yield f"constexpr size_t k{role}{number}Elements = {math.prod(entry.shape)};"
    if entry.scale is not None:
        yield f"constexpr float k{role}{number}Scale = {_c_text.number(entry.scale)};"
        yield f"constexpr int k{role}{number}ZeroPoint = {entry.zero_point or 0};"


def _filled(number: str, entry: InputEntry) -> list[str]:
    """Return a function from a value before normalization, such as a pixel from 0 to 255, to what the tensor stores."""
    kind = f"Input{number}Type"
    head = f"inline {kind} StoreInput{number}(float value)"
    if entry.dtype not in LIMITS:
        return [f"{head} {{ return static_cast<{kind}>(value); }}"]
    (low, high), multiply, add = LIMITS[entry.dtype], _c_text.number(entry.multiply), _c_text.number(entry.add)
    return [
        f"{head} {{",
        f"  const float stored = std::nearbyint(value * {multiply} + {add});",
        f"  return static_cast<{kind}>(stored < {low} ? {low} : stored > {high} ? {high} : stored);",
        "}",
    ]


def _real(number: str, entry: OutputEntry) -> list[str]:
    stored = f"inline float RealOutput{number}(Output{number}Type stored)"
    if entry.scale is None:
        return [f"{stored} {{ return static_cast<float>(stored); }}"]
    return [f"{stored} {{ return kOutput{number}Scale * static_cast<float>(stored - kOutput{number}ZeroPoint); }}"]


def _picture(manifest: Manifest) -> list[str]:
    """Return the size of a picture and the order of its colours; nothing where inputs are no pictures."""
    steps = manifest.preprocessing.steps
    if steps.get("type") != "image":
        return []
    resizing = steps["resizing"]
    return [
        f"// A picture is brought to this size by '{resizing['mode']}' and {resizing['method']} before that.",
        f"constexpr int kImageHeight = {steps['height']};",
        f"constexpr int kImageWidth = {steps['width']};",
        f"constexpr int kImageChannels = {steps['channels']};",
        f"constexpr const char* kColorOrder = {_c_text.string(str(steps['color_order']))};",
        "",
    ]


def _labels(manifest: Manifest) -> list[str]:
    if manifest.class_names is None:
        return []
    return [
        "// Names of the classes, in the order of the output.",
        f"constexpr int kLabelCount = {len(manifest.class_names)};",
        "constexpr const char* kLabels[kLabelCount] = {",
        *(f"    {_c_text.string(name)}," for name in manifest.class_names),
        "};",
        "",
    ]


def _layout(entry: InputEntry) -> str:
    return "row by row from the top left, channels innermost" if len(entry.shape) == 4 else "batch first"


def one_line(text: str) -> str:
    """Return a text as one line of plain ASCII for a comment, which must not end in a backslash."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode().replace("\\", "/")
