"""Every runtime confirms a right file of a target that names it; what is not installed says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from cnnpipe.bundle.export import export_all
from cnnpipe.child import Child
from cnnpipe.jobs.fitting_targets import every_target
from cnnpipe.registry import room
from cnnpipe.runtimes import Runtime

NAMES = sorted(room("runtimes").names())


def test_some_were_seen() -> None:
    assert {"litert_micro", "mediapipe_tasks", "predict_script"} <= set(NAMES)


def test_every_target_names_runtimes_that_are_there() -> None:
    for target in every_target():
        assert set(target.runtimes) <= set(NAMES), target.label


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_and_whether_it_is_here(name: str) -> None:
    kind = cast(type[Runtime], room("runtimes").load(name))
    assert kind.title
    assert kind.seconds > 0
    with Child("the runtime") as child:
        assert isinstance(child.call("cnnpipe.bundle.proving.missing", name, timeout=120.0), str)


@pytest.mark.parametrize("name", NAMES)
def test_it_confirms_a_right_file(name: str, painted: Any, tmp_path: Path) -> None:
    target = next(target for target in every_target() if name in target.runtimes)
    plan = painted.plan(target=target, quantization="int8", max_drop=0.05)
    (one,) = export_all([plan], painted.subject, tmp_path, painted.workers)
    (proof,) = [proof for proof in one.proofs if proof.runtime == name]
    assert (proof.state, proof.reason, proof.differing) == ("passed", "", 0)
    answers = cast(type[Runtime], room("runtimes").load(name)).answers
    assert proof.examples == (len(painted.subject.splits["test"]) if answers else 0)
