"""Every target says what a device wants in words that the rest knows, and every board is a board of a target."""

from __future__ import annotations

import pytest

from cnnpipe.jobs.fitting_targets import every_target
from cnnpipe.registry import room
from cnnpipe.targets import ROOM

TARGETS = tuple(every_target())
BOARDS = room("boards").names()


def test_there_are_targets_and_boards():
    types = {target.type for target in TARGETS}
    assert types == set(ROOM.names())
    assert {"android", "ios", "raspberry_pi", "jetson", "coral", "cortex_m", "esp32", "ethos_u", "generic"} <= types
    assert len(BOARDS) >= 8
    assert len({target.label for target in TARGETS}) == len(TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.label)
def test_a_target_wants_what_its_format_can_hold(target):
    assert target.input_types
    for quantization, wanted in target.input_types.items():
        assert wanted in target.format.types[quantization]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.label)
def test_a_target_names_what_there_is(target):
    assert set(target.attachments) <= set(room("attachments").names())
    assert set(target.runtimes) <= set(room("runtimes").names())
    assert target.title and not target.title.endswith(".")
    assert target.label.startswith(target.type)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.label)
def test_a_device_with_memory_has_an_arena_and_a_latency(target):
    if target.memory() is not None:
        assert target.has_arena
        assert 0 < target.memory().ram < target.memory().flash


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_belongs_to_the_target_that_it_names(name):
    board = room("boards").load(name)
    target = ROOM.load(board.family).model_validate({"type": board.family, "board": name})
    assert target.label == f"{board.family}-{name}"
    assert (target.memory().ram, target.memory().flash) == (board.ram_bytes, board.flash_bytes)


@pytest.mark.parametrize("name", BOARDS)
def test_the_numbers_of_a_board_are_those_of_a_microcontroller_and_have_a_source(name):
    board = room("boards").load(name)
    assert 64 * 1024 <= board.ram_bytes <= 4 * 2**20
    assert 2**20 <= board.flash_bytes <= 64 * 2**20
    assert 16_000_000 <= board.clock_hz <= 1_000_000_000
    assert 0.3 <= board.cycles_per_mac <= 100
    assert "Memory" in board.source and "Cycles" in board.source and board.source.endswith(".")
    assert f"{board.ram_bytes // 1024} KiB" in (room("boards").files()[name]).read_text().partition("\n")[0]


def test_no_word_stands_for_two_boards_or_two_targets():
    for here in (ROOM, room("boards")):
        words = [word for name in here.names() for word in (name, *here.load(name).also_called)]
        assert len(words) == len(set(words))
