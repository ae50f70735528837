"""What every attachment, every runtime of a device and every board must be, and that targets name what is there."""

from __future__ import annotations

from typing import cast

import pytest

from cnnpipe.attachments import ROOM as ATTACHMENTS
from cnnpipe.runtimes import ROOM as RUNTIMES
from cnnpipe.runtimes import Runtime
from cnnpipe.targets import ROOM as TARGETS
from cnnpipe.targets import Target


def _target(name: str) -> type[Target]:
    return cast(type[Target], TARGETS.load(name))


@pytest.mark.parametrize("name", TARGETS.names())
def test_a_target_names_attachments_and_runtimes_that_are_there(name: str) -> None:
    target = _target(name)
    assert set(target.attachments) <= set(ATTACHMENTS.names())
    assert set(target.runtimes) <= set(RUNTIMES.names())


@pytest.mark.parametrize("name", ATTACHMENTS.names())
def test_an_attachment_belongs_to_a_target_and_says_what_it_is(name: str) -> None:
    assert any(name in _target(target).attachments for target in TARGETS.names())
    assert ATTACHMENTS.load(name).__doc__
    assert ATTACHMENTS.load(name)(type=name) == ATTACHMENTS.load(name)()


@pytest.mark.parametrize("name", RUNTIMES.names())
def test_a_runtime_belongs_to_a_target_and_states_its_bounds(name: str) -> None:
    runtime = cast(type[Runtime], RUNTIMES.load(name))
    assert any(name in _target(target).runtimes for target in TARGETS.names())
    assert runtime.title and runtime.seconds > 0 and 0 <= runtime.bounds.score < 0.01
    missing = runtime().missing()
    assert not missing or "cnnpipe[" in missing  # an absent package is told with the extra that brings it


def test_some_were_seen() -> None:
    assert {"microcontroller", "arduino", "esp_idf"} <= set(ATTACHMENTS.names())
    assert "litert_micro" in RUNTIMES.names()
