"""One thing is broken at a time, before checksums are written, so that no checksum gives it away: it must be named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.bundle import convert as conversion
from cnnpipe.bundle import export as exporting
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.write import seal
from cnnpipe.errors import ProblemError
from cnnpipe.graph.affine import without_input_affine
from cnnpipe.litert_file import read
from cnnpipe.manifest import MANIFEST, read_manifest, to_json
from cnnpipe.preprocessing.image import Image

FILES = ("generic-none", "generic-int8")


class Broken:
    """A copy of a bundle to break; `problems` seals it again, as if it had been made so, and lets it check itself."""

    def __init__(self, exported: Exported, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(exported.folder, folder)
        self.file = folder / "model.tflite"

    def edit_file(self, edit: Callable[[Any], None]) -> None:
        self.file.write_bytes(edited(self.file.read_bytes(), edit))

    def edit_json(self, name: str, edit: Callable[[Any], None]) -> None:
        content = json.loads((self.folder / name).read_text())
        edit(content)
        (self.folder / name).write_text(json.dumps(content))

    def edit_array(self, name: str, edit: Callable[[np.ndarray], np.ndarray]) -> None:
        np.save(self.folder / name, edit(np.load(self.folder / name)))

    def problems(self) -> str:
        (self.folder / MANIFEST).write_text(to_json(seal(self.folder, read_manifest(self.folder))))
        found = check_bundle(self.folder)
        assert not [problem for problem in found if "sha256" in problem.message or "bytes instead" in problem.message]
        return "\n".join(problem.message for problem in found)


def edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    """Return a `.tflite` file after a change of its model."""
    import flatbuffers

    model = read(data)
    edit(model)
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def zero_one_weight_tensor(model: Any) -> None:
    """Zero the kernel of the convolution: 8 filters of 3x3x3, in one byte or four bytes a value."""
    (kernel,) = [tensor for tensor in model.subgraphs[0].tensors if list(tensor.shape) == [8, 3, 3, 3]]
    buffer = model.buffers[kernel.buffer]
    buffer.data = np.zeros_like(np.asarray(buffer.data))


def quantization_of(model: Any, name: str) -> Any:
    (tensor,) = [tensor for tensor in model.subgraphs[0].tensors if tensor.name == name.encode()]
    return tensor.quantization


def move_zero_point(model: Any) -> None:
    quantization_of(model, "image").zeroPoint = [-128 + 16]


def double_output_scale(model: Any) -> None:
    quantization_of(model, "probabilities").scale = [2 / 256]


@pytest.fixture(params=FILES)
def broken(request: pytest.FixtureRequest, exported: Mapping[str, Exported], tmp_path: Path) -> Broken:
    return Broken(exported[request.param], tmp_path / "bundle")


@pytest.fixture
def broken_int8(exported: Mapping[str, Exported], tmp_path: Path) -> Broken:
    return Broken(exported["generic-int8"], tmp_path / "bundle")


# ── the bundle's own check ───────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_wrong_with_a_bundle_that_was_only_sealed_again(broken: Broken) -> None:
    assert broken.problems() == ""


def test_a_weight_tensor_set_to_zero(broken: Broken) -> None:
    broken.edit_file(zero_one_weight_tensor)
    problems = broken.problems()
    assert "model.tflite does not answer as Keras does: its output 'probabilities'" in problems
    assert "most of all on 'test/0" in problems


def test_a_weight_tensor_set_to_zero_before_the_golden_outputs_were_made(broken: Broken) -> None:
    broken.edit_file(zero_one_weight_tensor)
    _run_again(broken)
    assert "model.tflite does not answer as Keras does" in broken.problems()


def _run_again(broken: Broken) -> None:
    """Write the golden outputs that the broken file gives."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=broken.file.read_bytes())
    interpreter.allocate_tensors()
    outputs = []
    for row in np.load(broken.folder / "sample_input.npy"):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    np.save(broken.folder / "sample_output.npy", np.stack(outputs))


@pytest.mark.parametrize("stated_too", [False, True])
def test_the_zero_point_of_the_input_off_by_16(broken_int8: Broken, stated_too: bool) -> None:
    broken_int8.edit_file(move_zero_point)
    if stated_too:
        broken_int8.edit_json(MANIFEST, lambda content: content["inputs"][0].update(zero_point=-112))
    problems = broken_int8.problems()
    assert "the input tensor 'image' does not carry the normalization" in problems
    assert "zero point -112" in problems


def test_a_scale_in_the_table_doubled(broken_int8: Broken) -> None:
    table = broken_int8.folder / "scales.csv"
    header, first, *rest = table.read_text().splitlines()
    *cells, largest, zero_point = first.split(",")
    table.write_text("\n".join([header, ",".join([*cells, repr(2 * float(largest)), zero_point]), *rest]) + "\n")
    assert broken_int8.problems() == "scales.csv tells other scales than model.tflite holds"


@pytest.mark.parametrize("name", ["labels.txt", "scales.csv"])
def test_what_belongs_to_a_bundle_left_out(broken_int8: Broken, name: str) -> None:
    (broken_int8.folder / name).unlink()
    assert f"{name} is missing" in broken_int8.problems()


@pytest.mark.parametrize("where", ["labels.txt", "bundle.json", "both"])
def test_two_labels_swapped(broken: Broken, where: str) -> None:
    swapped = ["red", "blue", "green", "yellow"]
    if where != "bundle.json":
        (broken.folder / "labels.txt").write_text("".join(f"{name}\n" for name in swapped))
    if where != "labels.txt":
        broken.edit_json(MANIFEST, lambda content: content.update(class_names=swapped))
    problems = broken.problems()
    if where != "both":
        assert "labels.txt calls class 1 '" in problems
    if where != "labels.txt":
        assert "should be 'green'; the file and the labels of the bundle make it 'blue'" in problems


def test_golden_inputs_with_blue_first(broken: Broken) -> None:
    broken.edit_array("sample_input.npy", lambda samples: samples[..., ::-1])
    problems = broken.problems()
    assert "colours are in reverse order (RGB taken for BGR)" in problems


def test_a_client_that_reads_blue_first(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    read_right = Image.apply
    monkeypatch.setattr(Image, "apply", lambda self, raw: read_right(self, raw)[..., ::-1])
    assert "colours are in reverse order (RGB taken for BGR)" in broken.problems()


def test_bgr_stated_where_rgb_is_meant(broken: Broken) -> None:
    broken.edit_json(MANIFEST, lambda content: content["preprocessing"]["steps"].update(color_order="BGR"))
    assert "bundle.json states preprocessing.steps.color_order as 'BGR'; its spec gives 'RGB'" in broken.problems()


def test_normalization_that_is_stated_but_not_in_the_input_tensor(broken_int8: Broken) -> None:
    def leave_out(model: Any) -> None:
        quantization_of(model, "image").scale = [1.0]

    broken_int8.edit_file(leave_out)
    broken_int8.edit_json(MANIFEST, lambda content: content["inputs"][0].update(scale=1.0))
    problems = broken_int8.problems()
    assert "'image' does not carry the normalization: its scale 1 " in problems


def test_another_way_to_fill_the_input_stated(broken_int8: Broken) -> None:
    broken_int8.edit_json(MANIFEST, lambda content: content["inputs"][0].update(multiply=2.0))
    assert "bundle.json fills 'image' with pixel * 2 + -128; its scale and zero point ask for" in broken_int8.problems()


def test_another_normalization_stated(broken: Broken) -> None:
    broken.edit_json(MANIFEST, lambda content: content["inputs"][0]["normalization"].update(scale=1.0))
    assert "bundle.json normalizes 'image' by (1.0, 0.0); its preprocessing asks for (0.0039" in broken.problems()


def test_an_output_scale_doubled(broken_int8: Broken) -> None:
    broken_int8.edit_file(double_output_scale)
    broken_int8.edit_json(MANIFEST, lambda content: content["outputs"][0].update(scale=2 / 256))
    problems = broken_int8.problems()
    assert "LiteRT refuses model.tflite" in problems or "output 'probabilities' is off" in problems


@pytest.mark.parametrize("name", ["sample_input.npy", "sample_output.npy"])
def test_a_golden_sample_changed(broken: Broken, name: str) -> None:
    def change(samples: np.ndarray) -> np.ndarray:
        samples = samples.copy()
        samples[1].flat[0] += 60 if samples.dtype == np.int8 else 0.2
        return samples

    broken.edit_array(name, change)
    problems = broken.problems()
    assert "golden sample 'test/001'" in problems
    assert ("does not become its input" if "input" in name else "than its golden output") in problems


def test_a_golden_picture_changed(broken: Broken) -> None:
    from PIL import Image as pillow

    file = broken.folder / "samples" / "02.png"
    with pillow.open(file) as picture:
        pixels = np.array(picture)
    pixels[3, 3] ^= 16
    pillow.fromarray(pixels).save(file)
    assert "picture of the golden sample 'test/002' does not become its input: values differ by up to 16" in (
        broken.problems()
    )


@pytest.mark.parametrize("kept", [0, 6, 1000, -200])
def test_the_file_cut_short(broken: Broken, kept: int) -> None:
    broken.file.write_bytes(broken.file.read_bytes()[:kept])
    assert "model.tflite" in broken.problems()


def test_a_file_of_garbage(broken: Broken) -> None:
    data = bytearray(broken.file.read_bytes())
    for position in range(8, len(data), 97):
        data[position] ^= 255
    broken.file.write_bytes(bytes(data))
    assert broken.problems()


@pytest.mark.parametrize("name", ["bundle.json", "parity.json", "sample_input.npy", "samples/00.png", "labels.txt"])
def test_other_files_of_garbage_or_missing(broken_int8: Broken, name: str) -> None:
    (broken_int8.folder / name).write_bytes(b"\x93NUMPY garbage {")
    assert any(name in str(problem) for problem in check_bundle(broken_int8.folder))
    (broken_int8.folder / name).unlink()
    assert any(name in str(problem) for problem in check_bundle(broken_int8.folder))


@pytest.mark.parametrize("name", ["bundle.json", "parity.json"])
def test_no_change_of_a_json_file_leads_to_a_traceback(
    exported: Mapping[str, Exported], painted: Any, tmp_path: Path, name: str
) -> None:
    broken = Broken(exported["generic-int8"], tmp_path / "bundle")
    random, whole = np.random.default_rng(0), json.loads((broken.folder / name).read_text())
    others = (None, -1, 0, 2**40, 1e300, "", "../../etc/hosts", [], {}, [[1], "a"], True)
    silent = []
    for number in range(60):
        content = json.loads(json.dumps(whole))
        holder, key = _any_place(content, random)
        holder[key] = others[number % len(others)]
        (broken.folder / name).write_text(json.dumps(content))
        found = check_bundle(broken.folder, painted.workers.runtime)
        assert not [problem for problem in found if "Traceback" in problem.message]
        silent += [key] if not found else []
    # What only tells (where it comes from, what it means, how it scored) can be changed; what is used cannot.
    assert len(silent) < 40


def _any_place(content: Any, random: np.random.Generator) -> tuple[Any, Any]:
    while True:
        key = random.choice(list(content)) if isinstance(content, dict) else int(random.integers(len(content)))
        if not content[key] or not isinstance(content[key], (dict, list)) or random.random() < 0.2:
            return content, key
        content = content[key]


# ── parity and gate, while exporting ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def export_with(painted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that exports with a file that is broken right after its conversion, and tells what is said."""

    def export(edit: Callable[[Any], None] | None = None, subject: Any = None, **plan: Any) -> str:
        right = conversion.open_file

        def open_broken(runtime: Any, exporter: Any, file: Path, *more: Any) -> Any:
            if edit is not None:
                file.write_bytes(edited(file.read_bytes(), edit))
            return right(runtime, exporter, file, *more)

        monkeypatch.setattr(conversion, "open_file", open_broken)
        folder = tmp_path / "exports"
        try:
            (one,) = export_all([painted.plan(**plan)], subject or painted.subject, folder, painted.workers)
        except ProblemError as error:
            assert not folder.exists() or not [path for path in folder.iterdir() if path.suffix != ".rejected"]
            return str(error)
        assert one.passed == (one.folder.name == one.export.name)
        return "\n".join(map(str, one.problems))

    return export


@pytest.mark.parametrize("quantization", ["none", "int8"])
def test_export_is_unharmed_without_sabotage(export_with: Callable[..., str], quantization: str) -> None:
    assert export_with(lambda model: None, quantization=quantization, max_drop=0.05) == ""


@pytest.mark.parametrize("quantization", ["none", "int8"])
def test_export_of_a_zeroed_weight_tensor(export_with: Callable[..., str], quantization: str) -> None:
    said = export_with(zero_one_weight_tensor, quantization=quantization, max_drop=0.05)
    assert f"generic-{quantization}/model.tflite does not answer as Keras does" in said
    assert "most of all on 'validation/0" in said
    assert "max_drop allows 0.05" in said


def test_export_with_a_moved_zero_point(export_with: Callable[..., str]) -> None:
    assert "'image' does not carry the normalization" in export_with(move_zero_point, quantization="int8")


def test_export_with_a_doubled_output_scale(export_with: Callable[..., str]) -> None:
    said = export_with(double_output_scale, quantization="int8")
    assert "LiteRT refuses model.tflite" in said or "output 'probabilities' is off" in said


@pytest.mark.parametrize("quantization", ["none", "int8"])
def test_export_of_a_network_without_the_normalization(
    export_with: Callable[..., str], painted: Any, quantization: str
) -> None:
    subject = replace(painted.subject, graph=without_input_affine(painted.subject.graph))
    said = export_with(subject=subject, quantization=quantization)
    assert "the network does not normalize its input 'image' as preprocessing states" in said


def test_a_file_that_lost_the_normalization_in_its_conversion(
    export_with: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = conversion.plan
    monkeypatch.setattr(conversion, "plan", lambda graph: planned(without_input_affine(graph)))
    assert "generic-none/model.tflite does not answer as Keras does" in export_with(quantization="none")


def test_a_file_that_normalizes_twice(export_with: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "without_input_affine", lambda graph: graph)
    assert "does not answer as Keras does" in export_with(quantization="int8")


def test_export_that_writes_the_labels_in_another_order(
    export_with: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_right = exporting.write_bundle

    def swap(folder: Path, export: Any, subject: Any, *more: Any) -> None:
        facts = replace(subject.facts, class_names=("red", "blue", "green", "yellow"))
        write_right(folder, export, replace(subject, facts=facts), *more)

    monkeypatch.setattr(exporting, "write_bundle", swap)
    said = export_with(quantization="int8")
    assert "the bundle generic-int8: the golden sample 'test/001' should be 'green'" in said


def test_export_whose_preprocessing_reads_blue_first(
    export_with: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_right = Image.apply
    monkeypatch.setattr(Image, "apply", lambda self, raw: read_right(self, raw)[..., ::-1])
    assert "colours are in reverse order (RGB taken for BGR)" in export_with(quantization="none")
