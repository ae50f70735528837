"""Files for phones: what MediaPipe Tasks, the client library, makes of them, and what a bundle holds against them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.client import metadata_problems
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.proving import make_trial, prove, raw_reader
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.write import seal
from cnnpipe.errors import ProblemError
from cnnpipe.litert_file import packed, read
from cnnpipe.litert_metadata import Metadata, attach, read_metadata
from cnnpipe.manifest import MANIFEST, read_manifest, to_json
from cnnpipe.registry import room

KINDS = ("none", "float16", "dynamic_range", "int8")


@pytest.fixture(scope="module")
def phone_files(painted: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Exported]:
    """The network of colours for a phone, one file for each quantization that MediaPipe takes."""
    plans = [painted.plan(target="android", quantization=kind) for kind in KINDS]
    folder = tmp_path_factory.mktemp("phone")
    return {one.export.quantization: one for one in export_all(plans, painted.subject, folder, painted.workers)}


@pytest.mark.parametrize("kind", KINDS)
def test_mediapipe_says_what_litert_says(phone_files: Mapping[str, Exported], kind: str) -> None:
    one = phone_files[kind]
    (proof,) = read_manifest(one.folder).proofs
    assert one.passed
    assert (proof.runtime, proof.state, proof.examples, proof.differing) == ("mediapipe_tasks", "passed", 60, 0)
    assert proof.score == one.comparisons["test"].file.scores.metrics["accuracy"].value


def test_the_file_says_its_labels_and_its_normalization(phone_files: Mapping[str, Exported]) -> None:
    found = {kind: read_metadata(phone_files[kind].file) for kind in KINDS}
    assert {kind: one.outputs[0].labels for kind, one in found.items() if one} == dict.fromkeys(
        KINDS, ("red", "green", "blue", "yellow")
    )
    numbers = {kind: (*one.inputs[0].mean, *one.inputs[0].std) for kind, one in found.items() if one}
    # Float files normalize inside; the input tensor of the uint8 file carries 1 / 255.
    assert numbers["none"] == numbers["float16"] == numbers["dynamic_range"] == (0, 1)
    assert numbers["int8"] == (0, pytest.approx(255))
    assert {entry.dtype for entry in read_manifest(phone_files["int8"].folder).inputs} == {"uint8"}


def test_a_second_export_gives_the_same_bytes_in_all_files(
    phone_files: Mapping[str, Exported], painted: Any, tmp_path: Path
) -> None:
    plan = painted.plan(target="android", quantization="int8")
    (again,) = export_all([plan], painted.subject, tmp_path, painted.workers)
    once, twice = _contents(phone_files["int8"].folder), _contents(again.folder)
    assert len(once) > 10 and once == twice


def _contents(folder: Path) -> dict[str, Any]:
    """Return the bytes of all files; of bundle.json what it says, but for the time that this host took."""
    found: dict[str, Any] = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
    assert found.pop(MANIFEST)
    return {**found, MANIFEST: read_manifest(folder).model_copy(update={"host_latency_ms": 0.0})}


def test_beside_it_lie_the_lines_for_the_phone_and_a_card(phone_files: Mapping[str, Exported]) -> None:
    folder = phone_files["none"].folder
    assert "Compiled by you, not by us" in (folder / "Model.kt").read_text()
    assert 'createFromFile(context, "model.tflite")' in (folder / "Model.kt").read_text()
    card = (folder / "MODEL_CARD.md").read_text()
    for word in ("red, green, blue, yellow", "accuracy", "mediapipe_tasks", "random numbers", "licence"):
        assert word in card


def test_asking_mediapipe_imports_no_tensorflow(phone_files: Mapping[str, Exported]) -> None:
    folder = phone_files["int8"].folder
    program = (
        "import sys; from pathlib import Path; from cnnpipe.bundle.proving import answer\n"
        "from cnnpipe.manifest import read_manifest; from cnnpipe.runtimes import Cases\n"
        f"folder = Path({str(folder)!r}); picture = (folder / 'samples' / '00.png').read_bytes()\n"
        "said = answer('mediapipe_tasks', folder, read_manifest(folder), Cases({}, [picture]))\n"
        "print(said.outputs['probabilities'].shape, [name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(1, 4) []"


# ── sabotage ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def rewritten(phone_files: Mapping[str, Exported], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a bundle whose file says something else, sealed as if it had been made so."""

    def rewrite(kind: str, change: Callable[[Metadata], Metadata | None]) -> Path:
        folder = tmp_path / kind
        shutil.copytree(phone_files[kind].folder, folder)
        file = folder / "model.tflite"
        said = read_metadata(file)
        assert said is not None
        model = read(file.read_bytes())
        model.metadata = [entry for entry in model.metadata if entry.name != b"TFLITE_METADATA"]
        file.write_bytes(packed(model))
        if (changed := change(said)) is not None:
            attach(file, changed)
        (folder / MANIFEST).write_text(to_json(seal(folder, read_manifest(folder))))
        return folder

    return rewrite


def _labels(said: Metadata, labels: tuple[str, ...] | None) -> Metadata:
    return replace(said, outputs=(replace(said.outputs[0], labels=labels),))


def _problems(folder: Path) -> str:
    return "\n".join(problem.message for problem in check_bundle(folder) if "MODEL_CARD" not in problem.message)


def test_nothing_is_wrong_when_the_same_is_said_again(rewritten: Callable[..., Path]) -> None:
    assert _problems(rewritten("int8", lambda said: said)) == ""


def test_labels_in_another_order_are_found_by_the_bundle_and_by_mediapipe(
    rewritten: Callable[..., Path], painted: Any
) -> None:
    folder = rewritten("none", lambda said: _labels(said, ("green", "red", "blue", "yellow")))
    assert "state labels of 'probabilities' as ('green', 'red'" in _problems(folder)
    split = painted.subject.splits["test"]
    with open_bundle(folder) as bundle:
        raw = raw_reader(split, painted.subject.facts.preprocessing)
        (proof,) = prove(["mediapipe_tasks"], bundle, make_trial(bundle, split.inputs, split.names, raw, split.targets))
    assert proof.state == "failed"
    assert "calls class 0 'green', the bundle 'red'" in proof.reason


def test_too_few_labels_are_found(rewritten: Callable[..., Path]) -> None:
    assert "state labels of" in _problems(rewritten("none", lambda said: _labels(said, ("red", "green", "blue"))))
    assert "state labels of" in _problems(rewritten("int8", lambda said: _labels(said, None)))


@pytest.mark.parametrize(("kind", "std"), [("none", 255.0), ("int8", 1.0)])
def test_another_scale_is_found(rewritten: Callable[..., Path], kind: str, std: float) -> None:
    folder = rewritten(kind, lambda said: replace(said, inputs=(replace(said.inputs[0], std=(std,)),)))
    assert f"state std of 'image' as ({std},)" in _problems(folder)


def test_a_normalization_that_mediapipe_does_is_found_by_its_answers(
    rewritten: Callable[..., Path], painted: Any
) -> None:
    folder = rewritten("none", lambda said: replace(said, inputs=(replace(said.inputs[0], std=(255.0,)),)))
    split = painted.subject.splits["test"]
    with open_bundle(folder) as bundle:
        raw = raw_reader(split, painted.subject.facts.preprocessing)
        (proof,) = prove(["mediapipe_tasks"], bundle, make_trial(bundle, split.inputs, split.names, raw, split.targets))
    assert proof.state == "failed" and "its accuracy is" in proof.reason


def test_metadata_that_are_gone_are_missed(rewritten: Callable[..., Path]) -> None:
    assert "holds no metadata" in _problems(rewritten("none", lambda said: None))


def test_metadata_that_bundle_json_does_not_state_are_missed(rewritten: Callable[..., Path]) -> None:
    folder = rewritten("none", lambda said: _labels(said, ("green", "red", "blue", "yellow")))
    silent = read_manifest(folder).model_copy(update={"metadata": False})
    (folder / MANIFEST).write_text(to_json(silent))
    assert "bundle.json states no metadata inside model.tflite" in _problems(folder)


def test_a_file_that_asks_for_other_values_than_pixels_is_refused(phone_files: Mapping[str, Exported]) -> None:
    one = phone_files["int8"]
    manifest, said = read_manifest(one.folder), read_metadata(one.file)
    assert list(metadata_problems(manifest, said)) == []
    other = (manifest.inputs[0].model_copy(update={"multiply": 0.5}),)
    (problem,) = metadata_problems(manifest.model_copy(update={"inputs": other}), said)
    assert "asks for other values than pixels" in problem.message


def test_a_label_changed_in_the_lines_for_the_phone_is_found(rewritten: Callable[..., Path]) -> None:
    folder = rewritten("none", lambda said: said)
    (folder / "Model.kt").write_text((folder / "Model.kt").read_text().replace("model.tflite", "other.tflite"))
    (folder / MANIFEST).write_text(to_json(seal(folder, read_manifest(folder))))
    assert "Model.kt contradicts the rest of the bundle" in _problems(folder)


# ── what a phone cannot take ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_package_the_proof_is_not_run_and_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    runtime: Any = room("runtimes").load("mediapipe_tasks")(type="mediapipe_tasks")
    assert "cnnpipe[phone]" in runtime.missing()


def test_a_task_without_a_client_is_told_at_the_item(painted: Any, tmp_path: Path, monkeypatch: Any) -> None:
    signature = replace(painted.subject.signature, client="mind_reader")
    monkeypatch.setattr(Subject, "signature", property(lambda self: signature))
    with pytest.raises(ProblemError, match="MediaPipe Tasks has no client 'mind_reader'") as found:
        export_all([painted.plan(target="ios")], painted.subject, tmp_path, painted.workers)
    assert found.value.problems[0].path == "export.0"


# ── networks with other inputs ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def seeing(painted: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Subject]:
    """Return a function that makes an untrained network that sees the painted pictures after other preprocessing."""
    import keras

    from cnnpipe.build import build_model, get_weights, save_weights
    from cnnpipe.evaluation import caller

    def make(**changed: Any) -> Subject:
        subject = painted.subject
        preprocessing = subject.facts.preprocessing.model_validate(
            {**subject.facts.preprocessing.model_dump(), **changed}
        )
        facts = replace(subject.facts, preprocessing=preprocessing)
        blocks = ({"type": "conv_relu_pool", "filters": 4}, "flatten", {"type": "dense", "units": 16})
        graph = painted.graph(*blocks, facts=facts)

        def seen(split: Any) -> Any:
            pictures = split.inputs["image"]
            readers = tuple(lambda picture=picture: {"images": picture} for picture in pictures)
            inputs = np.stack([preprocessing.apply(picture) for picture in pictures])
            return replace(split, inputs={"image": inputs}, readers=readers)

        keras.utils.set_random_seed(0)
        network = build_model(graph)
        weights = tmp_path_factory.mktemp("weights") / "weights.npz"
        save_weights(weights, get_weights(network))
        splits = {name: seen(split) for name, split in subject.splits.items()}
        call = caller(network, subject.task.signature(facts))
        return replace(subject, facts=facts, graph=graph, weights=weights, splits=splits, call=call)

    return make


def test_numbers_of_each_channel_are_computed_inside_the_file(
    seeing: Callable[..., Subject], painted: Any, tmp_path: Path
) -> None:
    normalization = {"scale": (0.02, 0.018, 0.017), "offset": (-2.1, -2.0, -1.8)}
    plans = [painted.plan(target="ios"), painted.plan(target="ios", quantization="int8")]
    for one in export_all(plans, seeing(normalization=normalization), tmp_path, painted.workers):
        said, manifest = read_metadata(one.file), read_manifest(one.folder)
        assert said is not None and (said.inputs[0].mean, said.inputs[0].std) == ((0,), (1,))
        assert manifest.inputs[0].normalization and manifest.inputs[0].normalization.carried_by == "file"
        assert manifest.proofs[0].state == "passed"
        assert (one.folder / "Model.swift").is_file()


def test_pictures_of_another_size_are_resized_as_the_library_does(
    seeing: Callable[..., Subject], painted: Any, tmp_path: Path
) -> None:
    def steps(interpolation: str) -> float:
        subject = seeing(image_size=(7, 9), interpolation=interpolation)
        (one,) = export_all([painted.plan(target="android")], subject, tmp_path / interpolation, painted.workers)
        (proof,) = one.proofs
        assert proof.examples == 60 and proof.largest_steps is not None
        return proof.largest_steps

    assert steps("mediapipe") < 1
    assert steps("bilinear") > 100


def test_a_network_of_gray_pictures_takes_colour_on_a_phone(
    seeing: Callable[..., Subject], painted: Any, tmp_path: Path
) -> None:
    gray = seeing(color_mode="grayscale")
    plans = [
        painted.plan(target="android"),
        painted.plan(target="android", quantization="int8"),
        painted.plan(quantization="none"),
    ]
    phone, small, plain = export_all(plans, gray, tmp_path, painted.workers)
    for one in (phone, small):
        manifest = read_manifest(one.folder)
        assert one.passed, one.problems
        assert manifest.inputs[0].shape == (1, 10, 12, 3)
        assert manifest.preprocessing.steps["color_order"] == "RGB"
        assert np.load(one.folder / "sample_input.npy").shape[1:] == (10, 12, 3)
        assert manifest.proofs[0].state == "passed"
        assert "to gray" in "; ".join(manifest.notes)
    assert read_manifest(plain.folder).inputs[0].shape == (1, 10, 12, 1)
    coloured = [picture for picture in gray.splits["test"].readers[:8]]
    pictures = [reader()["images"] for reader in coloured]
    with open_bundle(phone.folder) as on_phone, open_bundle(plain.folder) as elsewhere:
        pairs = zip(on_phone.predict(pictures), elsewhere.predict(pictures), strict=True)
        apart = [abs(a["confidences"][name] - b["confidences"][name]) for a, b in pairs for name in a["confidences"]]
    assert max(apart) < 0.01  # gray is rounded before the one, and not before the other
