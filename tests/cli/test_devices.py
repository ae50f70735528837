"""Devices on the command line: what a recipe becomes there, and the list of boards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
MY_BOARD = """
from typing import ClassVar, Literal

from cnnpipe.boards import Board


class MyBoard(Board):
    type: Literal["my_board"] = "my_board"
    title: ClassVar[str] = "My board"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M4F"
    ram_bytes: ClassVar[int] = 1000
    flash_bytes: ClassVar[int] = 1_000_000
    clock_hz: ClassVar[int] = 64_000_000
    cycles_per_mac: ClassVar[float] = 7.0
    source: ClassVar[str] = "None."
"""


def test_describe_predicts_the_file_for_a_board(call: Call, recipe: Path) -> None:
    done = call("describe", recipe, "--board", "nicla_vision")
    assert done.exit_code == 0
    assert done.stdout.startswith("cortex_m-nicla_vision-int8 (Arm Cortex-M microcontrollers with LiteRT Micro)")
    assert "stem      CONV_2D" in done.stdout and "1x16x16x4 int8" in done.stdout
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert "of 2,097,152 bytes" in lines["file"]
    assert "of 524,288 bytes" in lines["arena"]
    assert "CONV_2D" in lines["peak"] and "in block stem (line 7)" in lines["peak"]
    assert "order of magnitude" in lines["latency"]


def test_describe_tells_the_share_of_an_accelerator(call: Call, recipe: Path) -> None:
    done = call("describe", recipe, "--target", "coral")
    assert "the accelerator runs 5 of 5 operators, 100% of the multiply-adds" in done.stdout
    assert "arena" not in done.stdout


def test_describe_json_of_a_device_is_the_contract(call: Call, recipe: Path) -> None:
    done = call("describe", recipe, "--board", "nicla_vision", "--json")
    (found,) = json.loads(done.stdout)["recipes"]["small.yaml"]
    assert set(found) == {
        "name", "target", "quantization", "input_type", "predicted", "reason", "macs", "file_bytes", "weight_bytes",
        "arena", "peak", "memory", "latency_seconds", "accelerated", "operators",
    }  # fmt: skip
    assert found["target"]["board"] == {"type": "nicla_vision"}
    assert set(found["operators"][0]) == {
        "name", "layer", "block", "line", "output_shape", "output_type", "macs", "bytes_alive", "accelerated",
    }  # fmt: skip
    assert found["arena"]["head"] == max(row["bytes_alive"] for row in found["operators"]) == 1792
    assert found["macs"] == sum(row["macs"] for row in found["operators"]) == 28_160
    low, high = found["latency_seconds"]
    assert high == pytest.approx(4 * low)


def test_describe_says_what_is_not_predicted(call: Call, recipe: Path) -> None:
    done = call("describe", recipe, "--target", "android", "--quantization", "float16")
    assert done.exit_code == 0
    assert "operators and memory are not predicted: the operators of float16" in done.stdout


def test_describe_takes_the_exports_of_the_recipe(call: Call, recipe: Path) -> None:
    exports = "export: [{target: generic}, {target: generic, quantization: int8}, {target: coral, quantization: int8}]"
    recipe.write_text(recipe.read_text() + exports)
    both = call("describe", recipe, "--target", "generic", "--json")
    names = [found["name"] for found in json.loads(both.stdout)["recipes"]["small.yaml"]]
    assert names == ["generic-none", "generic-int8"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--board", "nicla"], "Did you mean 'nicla_vision'?"),
        (["--target", "phone"], "Did you mean 'android'?"),
        (["--target", "cortex_m"], "the target 'cortex_m' needs a board. Name the board"),
        (["--target", "esp32", "--board", "nicla_vision"], "the board 'nicla_vision' is one of the target 'cortex_m'"),
        (["--board", "nicla_vision", "--keras"], "show networks"),
        (["--quantization", "int8"], "needs --target or --board"),
    ],
)
def test_describe_of_an_unknown_device(call: Call, recipe: Path, arguments: list[str], told: str) -> None:
    done = call("describe", recipe, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_boards_are_listed_with_what_they_have(call: Call) -> None:
    done = call("list", "boards")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("stm32f746g_disco"))
    assert line.split() == ["stm32f746g_disco", "cortex_m", "Cortex-M7", "320", "KiB", "1024", "KiB", "216", "MHz"]
    assert json.loads(call("list", "boards", "--json").stdout)["boards"]["nicla_vision"].startswith("Arduino Nicla")


@pytest.mark.parametrize("command", ["check", "train", "run"])
def test_what_cannot_fit_is_refused_before_any_data_is_read(call: Call, recipe: Path, command: str) -> None:
    board = "{type: cortex_m, board: nicla_vision}"
    recipe.write_text(recipe.read_text() + f"export: [{{target: {board}, quantization: int8, max_arena: 100}}]")
    done = call(command, recipe)
    assert done.exit_code == 2
    assert "small.yaml:7:7: model.blocks.0: 'cortex_m-nicla_vision-int8': the tensor arena would take" in done.stderr
    assert "max_arena allows 100" in done.stderr and "\n1 error" in done.stderr
    assert not list(recipe.parent.glob("runs/*/*"))


def test_describe_draws_the_arena_of_one_file(call: Call, recipe: Path, tmp_path: Path) -> None:
    done = call("describe", recipe, "--board", "nicla_vision", "--plot", "arena.svg")
    assert done.exit_code == 0
    picture = (tmp_path / "arena.svg").read_text()
    assert "cortex_m-nicla_vision-int8, predicted" in picture and "CONV_2D" in picture
    unknown = call("describe", recipe, "--target", "android", "--quantization", "float16", "--plot", "none.svg")
    assert unknown.exit_code == 2 and "the arena is not predicted" in unknown.stderr


def test_a_plugin_folder_adds_a_board(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "boards").mkdir(parents=True)
    (tmp_path / "mine" / "boards" / "my_board.py").write_text(MY_BOARD)
    board = "{type: cortex_m, board: my_board}"
    recipe = tmp_path / recipe
    recipe.write_text(recipe.read_text() + f"export: [{{target: {board}, quantization: int8}}]")
    command = [sys.executable, "-m", "cnnpipe", "check", recipe, "--plugins", tmp_path / "mine"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'cortex_m-my_board-int8': the tensor arena would take" in done.stderr
    assert "and the board has 1,000;" in done.stderr
