"""A C++ project for LiteRT Micro: the model as an array, its operators, arena, golden samples, and a program."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Literal

from cnnpipe import litert_file
from cnnpipe.attachments import (
    Attachment,
    _c_text,
    _golden_samples,
    _micro_texts,
    _model_settings,
    _op_resolver,
    _tensor_lines,
)
from cnnpipe.attachments._model_settings import one_line
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest, Memory
from cnnpipe.program import Program
from cnnpipe.runtimes.litert_micro import LiteRTMicro

FOLDER = "microcontroller"
OLDEST = "2024 or later"
OLDEST_PER_UNIT = (
    "October 2024 or later: older ones do not know a scale\nfor each unit of a dense layer, and answer wrong in silence"
)
"""Which version it takes: scales for each unit came with github.com/tensorflow/tflite-micro/pull/2673."""


class Microcontroller(Attachment):
    """Sources for LiteRT Micro, in the folder `microcontroller`."""

    type: Literal["microcontroller"] = "microcontroller"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the sources by their names in the bundle.

        Raises:
            ProblemError: LiteRT Micro lacks an operator, or the bundle states no arena.
        """
        words = common_words(manifest) | _own_words(folder, manifest)
        texts = {
            "model_data.h": _micro_texts.MODEL_DATA_HEADER,
            "model_data.cc": _micro_texts.MODEL_DATA,
            "model_settings.h": _micro_texts.SETTINGS,
            "op_resolver.h": _micro_texts.OP_RESOLVER,
            "golden.h": _micro_texts.GOLDEN_HEADER,
            "golden.cc": _micro_texts.GOLDEN,
            "model.h": _micro_texts.MODEL_HEADER,
            "model.cc": _micro_texts.MODEL,
            "main.cc": _micro_texts.MAIN,
            "CMakeLists.txt": _micro_texts.CMAKE,
            "README.md": _micro_texts.README,
        }
        return {f"{FOLDER}/{name}": fill(text, words) for name, text in texts.items()}


def fill(text: str, words: Mapping[str, Any]) -> bytes:
    """Return a text with its `$words` filled in."""
    return Template(text).substitute(words).encode()


def common_words(manifest: Manifest) -> dict[str, Any]:
    """Return the words that every text may use."""
    title = str(manifest.origin.get("recipe", manifest.client))
    space = f"{_c_text.identifier(title)}_model"
    return {
        "version": manifest.cnnpipe,
        "notice": _micro_texts.NOTICE,
        "file": one_line(manifest.file),
        "title": one_line(title),
        "space": space,
        "guard": space.upper(),
    }


def calling_words(manifest: Manifest, line: str) -> dict[str, Any]:
    """Return the words of the lines that call a model with one input and one output; none for another model.

    Args:
        manifest: What bundle.json says.
        line: C++ that prints `{label}`, a string, and `{value}`, a float.
    """
    if len(manifest.inputs) != 1 or len(manifest.outputs) != 1:
        return {}
    elements = math.prod(manifest.outputs[0].shape)
    named = manifest.class_names is not None and len(manifest.class_names) == elements
    printed = line.format(label="kLabels[i]" if named else '"output"', value="RealOutput(Output()[i])")
    values = "pixels, 0 to 255," if manifest.preprocessing.steps.get("type") == "image" else "values"
    return common_words(manifest) | {"print": printed, "values": values}


def _own_words(folder: Path, manifest: Manifest) -> dict[str, Any]:
    if manifest.memory is None:
        raise ProblemError(Problem("the bundle does not state the arena, which a program for a microcontroller needs"))
    data = (folder / Path(manifest.file).name).read_bytes()
    program = litert_file.read_program(data, manifest.file)
    calls = _op_resolver.calls(program)
    samples = _golden_samples.load(folder, manifest)
    return {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "content": _c_text.content(data),
        "arena": manifest.memory.arena,
        "how": _how(manifest.memory),
        "since": OLDEST_PER_UNIT if _has_scale_per_unit(program) else OLDEST,
        "recommended": manifest.memory.recommended,
        "body": _model_settings.body(manifest),
        "includes": "\n".join(_op_resolver.includes(program)),
        "count": len(calls),
        "calls": "\n".join(f"  if (resolver.{call} != kTfLiteOk) return kTfLiteError;" for call in calls),
        "samples": len(samples.names),
        "names": one_line(", ".join(samples.names)),
        "tolerance": _tolerance(manifest),
        **_tensor_lines.words(manifest, samples),
    }


def _how(memory: Memory) -> str:
    return f"{f'measured by {memory.measured_by}' if memory.measured_by else 'computed from the file'}, on 64 bits"


def _has_scale_per_unit(program: Program) -> bool:
    dense = [operator for operator in program.operators if operator.name == "FULLY_CONNECTED"]
    return any(program.tensors[operator.inputs[1]].scales > 1 for operator in dense)


def _tolerance(manifest: Manifest) -> str:
    """Return how far a golden output may be off, in the unit of the stored values.

    Twice the bound of the proof: golden outputs are those of LiteRT's fast kernels.
    """
    steps = 2 * (LiteRTMicro.bounds.steps or 0.0)
    quantized = all(entry.scale is not None for entry in manifest.outputs)
    return _c_text.number(steps if quantized else steps * 1e-4)
