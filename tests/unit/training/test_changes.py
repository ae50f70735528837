"""With which changes of its recipe a training goes on, and how its resolved recipe tells them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnpipe.durations import seconds_of
from cnnpipe.errors import ProblemError
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.resolved import resolved_again, resolved_yaml
from cnnpipe.training.changes import allowed_changes, stretched_schedule
from cnnpipe.training.progress import Progress

PHASES = "training.phases=[{name: a, epochs: 3}, {name: b, epochs: 4}, {name: c, epochs: 5}]"


@pytest.fixture
def resolved(tmp_path: Path) -> Any:
    """Return a function that writes the resolved recipe of a run, and gives its path."""

    def write(*overrides: str) -> Path:
        file = tmp_path / "resolved.yaml"
        file.write_text(resolved_yaml(load_recipe("digits", overrides)), encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize(
    "override",
    ["training.epochs=99", "training.max_time=40m", "training.early_stopping={patience: 3}", "training.restore=last"],
)
def test_what_no_earlier_step_depends_on_may_change(resolved: Any, override: str) -> None:
    file = resolved()
    (change,) = allowed_changes(load_recipe(file), load_recipe(file, [override]), Progress())
    assert override.startswith(change.path)


@pytest.mark.parametrize(
    "override", ["training.epochs=1", "training.batch_size=7", "seed=3", "training.optimizer.learning_rate=0.1"]
)
def test_all_else_is_refused_and_shown(resolved: Any, override: str) -> None:
    file = resolved()
    with pytest.raises(ProblemError, match=r"earlier steps depend on .* → ") as error:
        allowed_changes(load_recipe(file), load_recipe(file, [override]), Progress())
    (problem,) = error.value.problems
    assert str(problem.place) == "--set 1"


def test_phases_that_are_over_stay_as_they_were(resolved: Any) -> None:
    file = resolved("training.epochs=null", PHASES)
    old = load_recipe(file)
    for name, allowed in (("a", False), ("b", True), ("c", True)):
        new = load_recipe(file, [f"training.phases.{name}.epochs=9"])
        if allowed:
            assert [change.new for change in allowed_changes(old, new, Progress(phase=1))] == [9]
        else:
            with pytest.raises(ProblemError, match=r"training.phases.a.epochs: 3 → 9"):
                allowed_changes(old, new, Progress(phase=1))


@pytest.mark.parametrize(
    ("schedule", "stretched"),
    [
        ("one_cycle", True), ("{type: cosine_decay, warmup_target: 0.1, warmup_steps: 9}", True),
        ("{type: exponential_decay, decay_rate: 0.1}", True), ("{type: cosine_decay, decay_steps: 500}", False),
        ("{type: exponential_decay, decay_rate: 0.1, decay_steps: 50}", False), ("reduce_lr_on_plateau", False),
        ("null", False),
    ],
)  # fmt: skip
def test_what_more_epochs_do_to_a_schedule_is_told(resolved: Any, schedule: str, stretched: bool) -> None:
    file = resolved("training.epochs=null", PHASES, f"training.schedule={schedule}")
    old, inside = load_recipe(file), Progress(phase=1, phase_epochs=2)

    def told(change: str, progress: Progress) -> str | None:
        return stretched_schedule(old, load_recipe(file, [change]), progress)

    assert ("is that of 9 epochs, not of 4" in str(told("training.phases.b.epochs=9", inside))) == stretched
    assert told("training.phases.c.epochs=9", inside) is None
    assert told("training.phases.b.epochs=9", Progress(phase=1)) is None


def test_a_resolved_recipe_keeps_who_set_what_did_not_change(resolved: Any) -> None:
    file = resolved("training.batch_size=10")
    before = file.read_text()
    lines = resolved_again(load_recipe(file, ["training.epochs=99", "training.early_stopping={patience: 3}"]), before)
    assert "  batch_size: 10  # --set 1\n" in lines
    assert "  epochs: 99  # --set 1\n" in lines
    assert "    patience: 3  # --set 2\n" in lines
    kept = set(before.splitlines()) - set(lines.splitlines())
    assert len(kept) == 2
    file.write_text(lines)
    assert load_recipe(file).recipe.training.epochs == 99


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("40m", 2400), ("2h", 7200), ("1h30m5s", 5405)])
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "40", "0s", "m", "1.5h", "30m1h", "-3s", "40 m"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s"):
        seconds_of(text)
