"""Damaged and hostile `.tflite` files and bundles, made by a seed, and what two commands say of them."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from click.testing import CliRunner

from cnnpipe.bundle.write import seal
from cnnpipe.cli._group import cli
from cnnpipe.litert_file import read
from cnnpipe.manifest import read_manifest, to_json

EXTREMES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 0x10000000)
SIZES = (-1, 0, -(2**31), 2**31 - 1, 2**20)
ODD = (None, -1, 0, 2**40, 1e300, float("nan"), "", "../../etc/hosts", "\x1b[2J", [], {}, [[1], "a"], True)


def outcome(arguments: list[str]) -> str:
    """Run a command, and return how it ended.

    Raises:
        AssertionError: It crashed, or said nothing of what is wrong.
    """
    done = CliRunner().invoke(cli, arguments, prog_name="cnnpipe")
    said = done.stdout + done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
    assert done.exit_code in (0, 1, 2), (arguments, said)
    assert "Traceback" not in said, (arguments, said)
    assert "mistake in cnnpipe" not in said, (arguments, said)
    assert "\x1b[2J" not in said, (arguments, said)
    assert done.exit_code == 0 or "error" in done.stderr, (arguments, said)
    return {0: "a result", 1: "broken promises named", 2: "refused"}[done.exit_code]


def inspected(files: Iterable[bytes], folder: Path, numbers: Iterable[int]) -> Counter[str]:
    """Mutate one of the files for each number, and let `inspect` look into it."""
    known, counts = list(files), Counter[str]()
    for number in numbers:
        random = np.random.default_rng(number)
        file = folder / f"{number}.tflite"
        file.write_bytes(mutated_file(known[number % len(known)], random))
        counts[f"inspect: {outcome(['inspect', str(file)])}"] += 1
        file.unlink()
    return counts


def verified(bundle: Path, folder: Path, numbers: Iterable[int]) -> Counter[str]:
    """Mutate a copy of a bundle for each number, and let `verify` check it."""
    counts = Counter[str]()
    for number in numbers:
        random = np.random.default_rng(number)
        copy = folder / str(number)
        shutil.copytree(bundle, copy)
        given = mutated_bundle(copy, random)
        counts[f"verify: {outcome(['verify', str(given)])}"] += 1
        shutil.rmtree(copy)
        given.unlink(missing_ok=True) if given.suffix == ".zip" else None
    return counts


EVIL = ("../out.txt", "/tmp/out.txt", "a/../../b", "C:\\b", "model.tflite", "MODEL.TFLITE", "bundle.json/x", "", "l")


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def mutated_file(data: bytes, random: np.random.Generator) -> bytes:
    """Return a file after one damage: to bytes, to its length, or to what its tables say."""
    ways = (_flipped, _cut, _extreme, _moved, _garbage, _other_tables, _other_tables, _other_tables)
    return ways[random.integers(len(ways))](data, random)


def _flipped(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 40))):
        changed[random.integers(len(changed))] = int(random.integers(256))
    return bytes(changed)


def _cut(data: bytes, random: np.random.Generator) -> bytes:
    return data[: random.integers(len(data))]


def _extreme(data: bytes, random: np.random.Generator) -> bytes:
    """Put an extreme number where it is likely to be a size or an offset."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 8))):
        place = int(random.integers(2, len(changed) // 4 - 1)) * 4
        changed[place : place + 4] = EXTREMES[random.integers(len(EXTREMES))].to_bytes(4, "little")
    return bytes(changed)


def _moved(data: bytes, random: np.random.Generator) -> bytes:
    changed, size = bytearray(data), int(random.integers(4, 256))
    source, target = (int(random.integers(8, len(data) - size)) for _ in range(2))
    changed[target : target + size] = data[source : source + size]
    return bytes(changed)


def _garbage(data: bytes, random: np.random.Generator) -> bytes:
    head = data[:8] if random.random() < 0.8 else b""
    return head + random.bytes(int(random.integers(0, 4096)))


def _other_tables(data: bytes, random: np.random.Generator) -> bytes:
    model = read(data)
    graph = model.subgraphs[0]
    for _ in range(int(random.integers(1, 3))):
        with suppress(ValueError):  # the first edit left nothing for the second
            EDITS[random.integers(len(EDITS))](model, graph, random)
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _one(items: Any, random: np.random.Generator) -> Any:
    return items[random.integers(len(items))]


def _edit_shape(model: Any, graph: Any, random: np.random.Generator) -> None:
    tensor = _one(graph.tensors, random)
    shape = [int(size) for size in (tensor.shape if tensor.shape is not None else ())] or [1]
    shape[random.integers(len(shape))] = int(_one(SIZES, random))
    tensor.shape = shape if random.random() < 0.7 else shape * int(random.integers(2, 9))


def _edit_position(model: Any, graph: Any, random: np.random.Generator) -> None:
    operator = _one(graph.operators, random)
    key = "inputs" if random.random() < 0.6 else "outputs"
    positions = [int(position) for position in getattr(operator, key)]
    choices = (len(graph.tensors), 2**30, -2, -(2**31), int(random.integers(len(graph.tensors))))
    positions[random.integers(len(positions))] = _one(choices, random)
    setattr(operator, key, positions)


def _edit_ends(model: Any, graph: Any, random: np.random.Generator) -> None:
    key = "inputs" if random.random() < 0.5 else "outputs"
    setattr(graph, key, _one(([], [10**6], [-1], list(range(len(graph.tensors)))), random))


def _edit_cycle(model: Any, graph: Any, random: np.random.Generator) -> None:
    operator = _one(graph.operators, random)
    operator.inputs = [int(graph.operators[-1].outputs[0]), *list(operator.inputs)[1:]]


def _edit_order(model: Any, graph: Any, random: np.random.Generator) -> None:
    random.shuffle(graph.operators)


def _edit_inputs(model: Any, graph: Any, random: np.random.Generator) -> None:
    operator = _one(graph.operators, random)
    operator.inputs = list(operator.inputs)[: random.integers(len(operator.inputs))]


def _edit_kind(model: Any, graph: Any, random: np.random.Generator) -> None:
    code = _one(model.operatorCodes, random)
    code.builtinCode = int(_one((0, 32, 127, 128, 200, 210, 2**31 - 1), random))
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.customCode = _one((None, "\x1b[2J", "x" * 5000), random)


def _edit_numbers(model: Any, graph: Any, random: np.random.Generator) -> None:
    tensor = _one(graph.tensors, random)
    tensor.type = int(_one((0, 2, 5, 9, 13, 17, 127), random))
    tensor.buffer = int(_one((0, tensor.buffer, len(model.buffers), 2**31), random))


def _edit_scale(model: Any, graph: Any, random: np.random.Generator) -> None:
    quantization = _one(graph.tensors, random).quantization
    if quantization is not None:
        quantization.scale = _one(([], [float("nan")], [float("inf")], [-1.0], [0.0], [1e-40] * 70), random)
        quantization.zeroPoint = _one(([], [2**62], [-(2**63)], [0]), random)


def _edit_name(model: Any, graph: Any, random: np.random.Generator) -> None:
    _one(graph.tensors, random).name = _one(("\x1b[2J\x07", "", "n" * 100_000, "n001_a;" * 999, b"\xff\xfe"), random)


def _edit_operator(model: Any, graph: Any, random: np.random.Generator) -> None:
    _one(graph.operators, random).opcodeIndex = int(_one((len(model.operatorCodes), 2**31), random))


def _edit_number_of_operators(model: Any, graph: Any, random: np.random.Generator) -> None:
    graph.operators = _one(([], graph.operators[:1], graph.operators * 50), random)


EDITS: tuple[Callable[[Any, Any, np.random.Generator], None], ...] = (
    _edit_shape, _edit_shape, _edit_position, _edit_position, _edit_ends, _edit_cycle, _edit_order, _edit_inputs,
    _edit_kind, _edit_numbers, _edit_scale, _edit_name, _edit_operator, _edit_number_of_operators,
)  # fmt: skip


# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mutated_bundle(folder: Path, random: np.random.Generator) -> Path:
    """Damage a bundle in a folder, and return what to verify: the folder, or a zip file of it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    way = random.random()
    if way < 0.35:
        _damage_model(folder, random)
    elif way < 0.65:
        _damage_json(folder / str(_one(("bundle.json", "bundle.json", "parity.json"), random)), random)
    elif way < 0.8:
        file = _one(files, random)
        file.write_bytes(_one((_flipped, _cut, _moved), random)(file.read_bytes() + bytes(600), random))
    else:
        return _zipped(folder, random)
    return folder


def _damage_model(folder: Path, random: np.random.Generator) -> None:
    file = folder / "model.tflite"
    file.write_bytes(mutated_file(file.read_bytes(), random))
    if random.random() < 0.7:  # checksums that fit, so that the file itself is looked into
        (folder / "bundle.json").write_text(to_json(seal(folder, read_manifest(folder))))


def _damage_json(file: Path, random: np.random.Generator) -> None:
    content = json.loads(file.read_text())
    holder, key = _any_place(content, random)
    holder[key] = ODD[random.integers(len(ODD))]
    file.write_text(json.dumps(content))


def _any_place(content: Any, random: np.random.Generator) -> tuple[Any, Any]:
    while True:
        key = random.choice(list(content)) if isinstance(content, dict) else int(random.integers(len(content)))
        if not content[key] or not isinstance(content[key], (dict, list)) or random.random() < 0.2:
            return content, key
        content = content[key]


def _zipped(folder: Path, random: np.random.Generator) -> Path:
    """Write the bundle as a zip file with one evil entry, or with damaged bytes."""
    stream = io.BytesIO()
    evil = (
        "../out.txt",
        "/tmp/out.txt",
        "a/../../b",
        "C:\\b",
        "model.tflite",
        "MODEL.TFLITE",
        "bundle.json/x",
        "",
        "l",
    )
    name = str(_one(evil, random))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
        if random.random() < 0.5:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16 if name == "l" else 0
            archive.writestr(info, "/etc/passwd")
    data = stream.getvalue()
    target = folder.with_suffix(".zip")
    ways = (lambda data, random: data, _flipped, _cut, _extreme)
    target.write_bytes(ways[random.integers(len(ways))](data, random))
    return target
