"""Bundles for microcontrollers: the proof in LiteRT Micro, the arena, and the C++ project, compiled where g++ is."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe import litert_file
from cnnpipe.attachments import _op_resolver
from cnnpipe.bundle.attached import attachments, write_attachments
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.proving import broken_proofs, make_trial, prove
from cnnpipe.bundle.write import seal
from cnnpipe.errors import ProblemError
from cnnpipe.manifest import MANIFEST, Manifest, read_manifest, to_json
from cnnpipe.program import plan_arena
from cnnpipe.runtimes import Cases
from cnnpipe.runtimes.litert_micro import LiteRTMicro
from cnnpipe.targets._lite_rt_micro import BUILTIN, CUSTOM, resolver_method

DECLARED = Path(__file__).parent / "lite_rt_micro"
COMPILER = shutil.which("g++") or shutil.which("c++")
compiled = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")
micro = pytest.mark.skipif(importlib.util.find_spec("tflite_micro") is None, reason="tflite-micro is not installed")
BOARDS = {"cortex_m": "nicla_vision", "esp32": "esp32_s3_devkitc"}


@pytest.fixture(scope="module")
def on_boards(painted: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Exported]:
    """The small network as an int8 file for a board of each family."""
    plans = [
        painted.plan(target={"type": family, "board": board}, quantization="int8", max_drop=0.05)
        for family, board in BOARDS.items()
    ]
    folder = tmp_path_factory.mktemp("boards")
    return {one.export.target: one for one in export_all(plans, painted.subject, folder, painted.workers)}


@pytest.fixture
def bundle(on_boards: Mapping[str, Exported]) -> Path:
    return on_boards["cortex_m"].folder


@pytest.fixture
def manifest(bundle: Path) -> Manifest:
    return read_manifest(bundle)


@pytest.fixture
def reseal() -> Callable[..., None]:
    """Return what seals a changed bundle again, so that no checksum gives the change away."""

    def again(folder: Path, manifest: Manifest | None = None) -> None:
        changed = seal(folder, manifest or read_manifest(folder))
        (folder / MANIFEST).write_text(to_json(changed))

    return again


@pytest.fixture
def cases(painted: Any, on_boards: Mapping[str, Exported]) -> Cases:
    feed, (tensor,) = on_boards["cortex_m"].runnable.feeds["image"], on_boards["cortex_m"].runnable.facts.inputs
    return Cases({"image": feed.apply(painted.subject.splits["test"].inputs["image"], tensor.dtype)})


@micro
@pytest.mark.parametrize("family", BOARDS)
def test_the_file_is_proven_on_the_whole_test_split(on_boards: Mapping[str, Exported], family: str) -> None:
    one = on_boards[family]
    (proof,) = one.proofs
    assert one.passed, one.problems
    assert (proof.state, proof.examples, proof.differing) == ("passed", 60, 0)
    assert read_manifest(one.folder).proofs == one.proofs
    assert check_bundle(one.folder) == []


@micro
def test_the_stated_arena_is_the_smallest_and_its_head_is_planned_to_the_byte(bundle: Path, manifest: Manifest) -> None:
    memory, planned = manifest.memory, plan_arena(litert_file.read_program((bundle / "model.tflite").read_bytes()))
    assert memory is not None and memory.measured_by
    assert memory.head == planned.head
    assert memory.head + memory.tail == memory.arena
    assert 1.2 * memory.arena <= memory.recommended + 1 <= 1.2 * memory.arena + 1025
    assert memory.recommended % 1024 == 0
    assert f"{memory.arena:,} bytes" in (bundle / "README.md").read_text()


def test_the_pages_of_the_bundle_tell_where_the_sources_are_and_for_which_board(bundle: Path) -> None:
    told = (bundle / "README.md").read_text()
    assert "Written for the target `cortex_m`: `MODEL_CARD.md`, `microcontroller/`." in told
    assert f"the target `cortex_m`, the board `{BOARDS['cortex_m']}`" in (bundle / "MODEL_CARD.md").read_text()


@micro
def test_it_runs_in_the_stated_arena_and_not_in_one_byte_less(bundle: Path, manifest: Manifest, cases: Cases) -> None:
    answers = LiteRTMicro().run(bundle, manifest, cases)
    assert answers.reference is not None
    np.testing.assert_array_equal(answers.outputs["probabilities"], answers.reference["probabilities"])
    memory = manifest.memory
    assert memory is not None
    smaller = manifest.model_copy(update={"memory": memory.model_copy(update={"arena": memory.arena - 1})})
    with pytest.raises(ProblemError, match=rf"needs {memory.arena:,} bytes .*states {memory.arena - 1:,}"):
        LiteRTMicro().run(bundle, smaller, cases)


@micro
def test_without_the_package_the_arena_is_computed(
    bundle: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    runtime, measured = LiteRTMicro(), manifest.memory
    computed = runtime.memory(bundle / "model.tflite")
    assert "cnnpipe[micro]" in runtime.missing()
    assert computed.measured_by is None and measured is not None
    assert computed.head == measured.head
    assert computed.tail == pytest.approx(measured.tail, rel=0.05)


@micro
def test_what_it_cannot_run_is_told_with_its_own_words(exported: Mapping[str, Exported], tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"LiteRT Micro refuses model\.tflite \(.*FLOAT32 with filter type: INT8"):
        LiteRTMicro().memory(exported["generic-dynamic_range"].file)
    model = litert_file.read(exported["generic-int8"].file.read_bytes())
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].outputs[0]]
    tensor.quantization.scale = np.array([1e-8], np.float32)
    (tmp_path / "silent.tflite").write_bytes(packed(model))
    manifest = read_manifest(exported["generic-int8"].folder).model_copy(update={"file": "silent.tflite"})
    with pytest.raises(ProblemError, match=r"what n00.* gives hardly differs from zero"):
        LiteRTMicro().run(tmp_path, manifest, Cases({"image": np.zeros((1, 10, 12, 3), np.int8)}))
    assert LiteRTMicro().memory(tmp_path / "silent.tflite").measured_by is None


def packed(model: Any) -> bytes:
    """Return the bytes of a model."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_the_resolver_has_exactly_the_operators_of_the_file(bundle: Path, manifest: Manifest) -> None:
    text = (bundle / "microcontroller" / "op_resolver.h").read_text()
    added = re.findall(r"resolver\.(Add\w+)\((.*?)\) !=", text)
    assert [method for method, _ in added] == ["AddConv2D", "AddFullyConnected", "AddMaxPool2D", "AddReshape",
                                               "AddSoftmax"]  # fmt: skip
    assert len(added) == len(set(manifest.operators))
    assert "MicroMutableOpResolver<5>" in text
    assert dict(added)["AddConv2D"] == "tflite::Register_CONV_2D_INT8()" and dict(added)["AddReshape"] == ""


def test_registrations_for_int8_alone_are_left_where_an_operator_computes_in_float(
    exported: Mapping[str, Exported],
) -> None:
    program = litert_file.read_program(exported["generic-none"].file.read_bytes())
    assert _op_resolver.calls(program) == ["AddConv2D()", "AddFullyConnected()", "AddMaxPool2D()", "AddReshape()",
                                           "AddSoftmax()"]  # fmt: skip
    assert [line for line in _op_resolver.includes(program) if "kernels" in line] == []


def test_an_operator_that_the_runtime_lacks_is_refused(bundle: Path) -> None:
    program = litert_file.read_program((bundle / "model.tflite").read_bytes())
    operators = (replace(program.operators[0], name="GELU"), *program.operators[1:])
    with pytest.raises(ProblemError, match="LiteRT Micro has no operator GELU"):
        _op_resolver.calls(replace(program, operators=operators))


def test_the_arrays_hold_the_bytes_of_the_file_and_of_the_samples(bundle: Path) -> None:
    folder = bundle / "microcontroller"
    text = (folder / "model_data.cc").read_text()
    assert (
        bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2}),", text)) == (bundle / "model.tflite").read_bytes()
    )
    assert "alignas(16) const unsigned char kModelData[kModelBytes]" in text
    found = [int(value) for value in re.findall(r"(-?\d+),", (folder / "golden.cc").read_text().partition("{")[2])]
    wanted = [np.load(bundle / f"sample_{kind}.npy")[:4].reshape(-1) for kind in ("input", "output")]
    assert found == np.concatenate(wanted).tolist()


@compiled
def test_the_compiled_array_is_the_file_aligned_to_16(bundle: Path, tmp_path: Path) -> None:
    program = tmp_path / "dump.cc"
    program.write_text(
        '#include <cstdint>\n#include <cstdio>\n#include "model_data.h"\nusing namespace colours_model;\n'
        "int main() {\n  std::fwrite(kModelData, 1, kModelBytes, stdout);\n"
        "  return reinterpret_cast<uintptr_t>(kModelData) % 16;\n}\n"
    )
    folder = bundle / "microcontroller"
    build(["-I", folder, program, folder / "model_data.cc", "-o", tmp_path / "dump"])
    found = subprocess.run([tmp_path / "dump"], capture_output=True)
    assert (found.returncode, found.stdout) == (0, (bundle / "model.tflite").read_bytes())


@compiled
def test_all_sources_fit_the_declared_signatures(on_boards: Mapping[str, Exported], tmp_path: Path) -> None:
    (tmp_path / "sketch.h").write_text(
        "struct Port { void begin(long); template <typename T> void print(T); template <typename T> void println(T); };"
        "\nextern Port Serial;\n"
    )
    seen = 0
    for one in on_boards.values():
        folder = one.folder / "microcontroller"
        for source in (*folder.rglob("*.cc"), *folder.rglob("*.ino")):
            sketch = ["-include", tmp_path / "sketch.h"] if source.suffix == ".ino" else []
            build([*sketch, "-fsyntax-only", "-I", folder, "-I", DECLARED, "-x", "c++", source])
            seen += 1
    assert seen == 2 * 4 + 2


@compiled
@pytest.mark.parametrize("kind", ["generic-none", "int8-mixed", "int16x8-int16", "two outputs"])
def test_other_types_and_numbers_of_tensors_fit_too(
    exported: Mapping[str, Exported], bundle: Path, manifest: Manifest, tmp_path: Path, kind: str
) -> None:
    folder, other = (exported[kind].folder, kind) if kind in exported else (bundle, "")
    found = read_manifest(folder)
    if not other:
        found = found.model_copy(
            update={"outputs": (*found.outputs, found.outputs[0].model_copy(update={"name": "second"}))}
        )
    files = attachments(folder, found.model_copy(update={"target": "cortex_m", "memory": manifest.memory}))
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for name in ("model.cc", "main.cc", "golden.cc"):
        source = tmp_path / "microcontroller" / name
        build(["-fsyntax-only", "-I", source.parent, "-I", DECLARED, source])
    assert ("microcontroller/arduino/arduino.ino" in files) == bool(other)
    assert (b"Output1()" in files["microcontroller/model.h"]) == (not other)


def test_every_operator_of_the_runtime_has_its_method_and_its_registration() -> None:
    folder = DECLARED / "tensorflow" / "lite" / "micro"
    text = (folder / "micro_mutable_op_resolver.h").read_text()
    declared = {kind: set(re.findall(rf"^  {kind}\((\w+)\)$", text, re.MULTILINE)) for kind in ("TYPED", "PLAIN")}
    methods = {str(resolver_method(name)) for name in (*BUILTIN, *CUSTOM)}
    assert methods == {f"Add{name}" for name in declared["TYPED"] | declared["PLAIN"]} and len(methods) == 118
    for name, header in _op_resolver.INT8_ONLY.items():
        assert str(resolver_method(name)).removeprefix("Add") in declared["TYPED"]
        assert f"Register_{name}_INT8()" in (folder / "kernels" / f"{header}.h").read_text()


@compiled
@pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake here")
def test_the_project_builds_with_cmake_and_its_program_notices_a_wrong_answer(bundle: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(DECLARED, tree)
    source = bundle / "microcontroller"
    refused = subprocess.run(["cmake", "-S", source, "-B", tmp_path / "none"], capture_output=True, text=True)
    assert refused.returncode != 0 and "is no tree of LiteRT Micro" in refused.stderr
    (tree / "third_party" / "flatbuffers" / "include").mkdir(parents=True)
    for flags, code, said in (("", 0, "4 of 4"), ("-DWRONG", 1, "3 of 4")):
        folder = tmp_path / f"build{flags}"
        flags = f"-DCMAKE_CXX_FLAGS=-I{source} -Wall -Wextra -Werror {flags}"
        subprocess.run(["cmake", "-S", source, "-B", folder, f"-DTFLM_DIR={tree}", flags], check=True)
        subprocess.run(["cmake", "--build", folder], check=True)
        found = subprocess.run([folder / "colours_model"], capture_output=True, text=True)
        assert found.returncode == code and f"{said} golden samples passed" in found.stdout


def build(arguments: list[str | Path]) -> None:
    assert COMPILER is not None
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
    found = subprocess.run([COMPILER, *flags, *map(os.fspath, arguments)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_every_source_says_who_compiled_it(bundle: Path) -> None:
    for name in ("README.md", "main.cc", "model.cc", "CMakeLists.txt", "arduino/arduino.ino"):
        assert "Compiled by you, not by us." in (bundle / "microcontroller" / name).read_text()


def test_labels_of_any_script_become_plain_text(bundle: Path, manifest: Manifest) -> None:
    names = ('"red"', "gr\\ün", "??/", "yellow\u202e")
    files = attachments(bundle, manifest.model_copy(update={"class_names": names}))
    text = files["microcontroller/model_settings.h"].decode("ascii")
    found = re.findall(r'^    "(.*)",$', text, re.MULTILINE)
    unescaped = [re.sub(rb"\\(\d{3})", lambda match: bytes([int(match[1], 8)]), one.encode()).decode() for one in found]
    assert unescaped == list(names)


SABOTAGE: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "labels in another order": ("model_settings.h", lambda t: t.replace('"red"', '"x"').replace('"blue"', '"red"')),
    "another scale": ("model_settings.h", lambda t: re.sub(r"(kInputScale = )[\d.]+f", r"\g<1>0.5f", t)),
    "another zero point": ("model_settings.h", lambda t: t.replace("kInputZeroPoint = -1", "kInputZeroPoint = 1")),
    "an arena that is one byte smaller": (
        "model_settings.h",
        lambda t: re.sub(r"(kTensorArenaSize = )(\d+)", lambda m: f"{m[1]}{int(m[2]) - 1}", t),
    ),
    "an operator missing": ("op_resolver.h", lambda t: re.sub(r"  if \(resolver.AddMaxPool2D.*\n", "", t)),
    "one byte of the model": ("model_data.cc", lambda t: t.replace("0x54, 0x46", "0x54, 0x47", 1)),
    "a golden answer": ("golden.cc", lambda t: t.replace("127,", "126,", 1)),
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_of_what_is_attached(bundle: Path, tmp_path: Path, what: str, reseal: Callable[[Path], None]) -> None:
    name, change = SABOTAGE[what]
    shutil.copytree(bundle, tmp_path / "bundle")
    file = tmp_path / "bundle" / "microcontroller" / name
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    reseal(tmp_path / "bundle")
    (problem,) = check_bundle(tmp_path / "bundle")
    assert f"microcontroller/{name} contradicts the rest of the bundle: line " in problem.message


def test_sabotage_by_leaving_a_source_out(bundle: Path, tmp_path: Path, reseal: Callable[[Path], None]) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    (tmp_path / "bundle" / "microcontroller" / "op_resolver.h").unlink()
    reseal(tmp_path / "bundle")
    (problem,) = check_bundle(tmp_path / "bundle")
    assert "op_resolver.h is missing" in problem.message


def test_sabotage_by_stating_no_arena(bundle: Path, tmp_path: Path, reseal: Callable[[Path, Manifest], None]) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    reseal(tmp_path / "bundle", read_manifest(bundle).model_copy(update={"memory": None}))
    assert "bundle.json does not state the arena" in "\n".join(map(str, check_bundle(tmp_path / "bundle")))


@micro
def test_sabotage_of_the_stated_arena(
    bundle: Path, painted: Any, tmp_path: Path, reseal: Callable[[Path, Manifest], None]
) -> None:
    """Everything in the bundle agrees on an arena that is one byte too small: only the runtime can tell."""
    shutil.copytree(bundle, tmp_path / "bundle")
    manifest = read_manifest(bundle)
    assert manifest.memory is not None
    smaller = {"tail": manifest.memory.tail - 1, "arena": manifest.memory.arena - 1}
    manifest = manifest.model_copy(update={"memory": manifest.memory.model_copy(update=smaller)})
    write_attachments(tmp_path / "bundle", manifest)
    reseal(tmp_path / "bundle", manifest)
    (problem,) = check_bundle(tmp_path / "bundle")
    assert f"bundle.json states an arena of {manifest.memory.arena:,} bytes" in problem.message  # type: ignore[union-attr]
    split = painted.subject.splits["test"]
    with open_bundle(tmp_path / "bundle") as opened:
        trial = make_trial(opened, split.inputs, split.names, lambda row: None)
        (problem,) = broken_proofs(prove(("litert_micro",), opened, trial))
    assert "LiteRT Micro does not confirm the file: the stated arena is too small" in problem.message
