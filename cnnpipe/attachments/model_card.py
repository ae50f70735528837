"""The model card: what the model is, what it learned from, what it is worth, where its limits are, whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from cnnpipe.attachments import Attachment
from cnnpipe.manifest import InputEntry, Manifest, Proof

CARD = "MODEL_CARD.md"


class ModelCard(Attachment):
    """A page for people, after Mitchell et al. 2019 ("Model Cards for Model Reporting"); all of it from bundle.json."""

    type: Literal["model_card"] = "model_card"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the card."""
        size = (folder / Path(manifest.file).name).stat().st_size
        parts = (_what(manifest, size), _data(manifest), _scores(manifest), _limits(manifest), _licences(manifest))
        return {CARD: "\n".join(line for part in parts for line in (*part, "")).encode()}


def _what(manifest: Manifest, size: int) -> Iterator[str]:
    origin, task = manifest.origin, str(manifest.task.get("type", manifest.client)).replace("_", " ")
    yield f"# Model card: {origin.get('recipe', manifest.client)}"
    yield ""
    yield f"- What it does: {task}"
    yield from (f"- What it gives: {output.meaning}" for output in manifest.outputs)
    yield f"- File: `{manifest.file}`, {size:,} bytes, quantization `{manifest.quantization}`"
    yield f"- Made for: the target `{manifest.target}`{_board(manifest)}"
    made = ", ".join(f"{key} {origin[key]}" for key in ("run", "seed") if key in origin)
    yield f"- Made by: cnnpipe {manifest.cnnpipe}" + (f" ({made})" if made else "")


def _board(manifest: Manifest) -> str:
    board = manifest.device.get("board")
    return f", the board `{board['type']}`" if isinstance(board, Mapping) else ""


def _data(manifest: Manifest) -> Iterator[str]:
    data, names = manifest.origin.get("data"), manifest.class_names
    yield "## Data"
    yield ""
    if isinstance(data, Mapping):
        counts = ", ".join(f"{number:,} {split}" for split, number in data["examples"].items())
        yield f"- Source: `{data['source']}`; {counts}; fingerprint {str(data['fingerprint'])[:16]}"
    if names is not None:
        yield f"- Classes ({len(names)}): {', '.join(names)}"
    if manifest.calibration is not None:
        yield f"- Calibrated on {manifest.calibration.examples} examples of the {manifest.calibration.split} split"
    yield from (f"- Input `{entry.name}`: {_input(entry, manifest)}" for entry in manifest.inputs)


def _input(entry: InputEntry, manifest: Manifest) -> str:
    steps = manifest.preprocessing.steps
    if steps.get("type") != "image":
        return f"{entry.dtype} {list(entry.shape)}"
    resizing = steps["resizing"]
    return (
        f"pictures in {steps['color_order']}, {steps['height']} x {steps['width']} (height x width), "
        f"{resizing['method']}, {resizing['mode']}"
    )


def _scores(manifest: Manifest) -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield "In brackets the 95 % interval; n is the number of examples. Decisions read validation, never test."
    yield ""
    yield "| split | metric | Keras model | this file | n |"
    yield "|---|---|---|---|---|"
    for split, found in manifest.scores.items():
        for metric, score in found["file"].items():
            keras = found["model"].get(metric)
            yield f"| {split} | {metric} | {_score(keras)} | {_score(score)} | {score['n']} |"
    yield ""
    for split, found in manifest.scores.items():
        drop = found["drop"]
        if drop.get("differs") is not None:
            counts = f"{drop['lost']} lost, {drop['won']} won"
            yield f"- On {split} the file differs on {drop['differs']} of {drop['n']}: {counts}"
    yield from map(_proof, manifest.proofs)


def _score(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return "-"
    interval = score.get("interval")
    return f"{score['value']:.4f}" + (f" ({interval[0]:.4f} to {interval[1]:.4f})" if interval else "")


def _proof(proof: Proof) -> str:
    if proof.state != "passed":
        return f"- In the runtime `{proof.runtime}`: {proof.state} ({proof.reason})"
    score = "" if proof.score is None else f", score {proof.score:.4f}"
    return f"- In the runtime `{proof.runtime}`: other answers on {proof.differing} of {proof.examples}{score}"


def _limits(manifest: Manifest) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "- The scores are those of pictures or signals like the test examples; of others nothing is known."
    if manifest.class_names is not None:
        yield "- It knows its classes alone: whatever else it is shown, it has no other answer."
    yield "- It was run on the computer that made it, not on a device."
    if manifest.float_operators:
        yield f"- These operators compute in float: {', '.join(manifest.float_operators)}"
    yield from (f"- {note[:1].upper()}{note[1:]}" for note in manifest.notes)


def _licences(manifest: Manifest) -> Iterator[str]:
    yield "## Licences"
    yield ""
    weights = manifest.origin.get("weights")
    if isinstance(weights, Mapping):
        licence = weights.get("licence") or "not known to cnnpipe"
        yield f"- Weights that training began with ({weights.get('file') or weights.get('run')}): {licence}"
    else:
        yield "- Weights: training began with random numbers"
    yield "- Data: the recipe does not state a licence; ask its owner before the model is given away"
