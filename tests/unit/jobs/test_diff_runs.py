"""Two run folders compared: what changed beside what came of it, and what cannot be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cnnpipe.cli._group import cli
from cnnpipe.errors import ProblemError
from cnnpipe.jobs.diff_runs import RunsDiff, diff_runs
from cnnpipe.jobs.results import HEADLINE
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.resolved import resolved_yaml
from cnnpipe.runs import Run, create_run

NAMES = [f"{number:02d}" for number in range(20)]


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a run folder as if a recipe had been trained: right on the examples it names."""

    def make(*settings: str, right: list[str] | None = NAMES, metric: str = "accuracy", **record: Any) -> Run:
        loaded = load_recipe("digits", settings)
        run = create_run(tmp_path / "runs", "digits", {"seed": loaded.recipe.seed, "data_fingerprint": "same"})
        run.write_text("resolved.yaml", resolved_yaml(loaded))
        if right is not None:
            value = len(right) / len(NAMES)
            scores = {metric: value, "n": 20, "intervals": {metric: [value / 2, 1.0]}, "per_class": {}}
            export = {"test": {"file": {metric: {"value": value, "n": 20, "interval": None}}}}
            run.write_json("scores.json", {"test": scores, "validation": scores, "exports": {"generic-int8": export}})
            rows = [f"{name},test,{int(name in right)}\n" for name in NAMES]
            run.write_text("example_scores.csv", "example,split,score\nx,validation,1\n" + "".join(rows))
            run.update("trained", **{HEADLINE: {"metric": metric, "value": value, "higher_is_better": True}})
        run.update(**record)
        return run

    return make


def facts(found: RunsDiff) -> dict[str, tuple[Any, Any]]:
    return {fact.name: (fact.old, fact.new) for fact in found.facts}


def test_changed_keys_say_who_set_them(make_run: Callable[..., Run]) -> None:
    old, new = make_run(), make_run("training.epochs=3", "model.blocks.stem.filters=4")
    changes = {c.path: (c.old, c.new, c.old_by, c.new_by) for c in diff_runs(old.folder, new.folder).changes}
    lines = load_recipe("digits")
    line = lines.root.closest(("training", "epochs")).place.line
    assert changes["training.epochs"] == (40, 3, f"digits.yaml:{line}", "--set 1")
    assert changes["model.blocks.stem.filters"][:2] == (16, 4)
    assert len(changes) == 2


def test_a_section_was_set_by_who_chose_its_type(make_run: Callable[..., Run]) -> None:
    old, new = make_run(), make_run("model.blocks.2={type: dropout, rate: 0.1}")
    (change,) = diff_runs(old.folder, new.folder).changes
    assert (change.path, change.new["type"], change.new_by) == ("model.blocks.2", "dropout", "--set 1")
    assert change.old_by.startswith("digits.yaml:")


def test_scores_stand_side_by_side_with_n_and_interval(make_run: Callable[..., Run]) -> None:
    found = diff_runs(make_run(right=NAMES[:10]).folder, make_run(right=NAMES[:15]).folder)
    pairs = {(pair.what, pair.metric): pair for pair in found.scores}
    assert list(pairs) == [("test", "accuracy"), ("validation", "accuracy"), ("generic-int8", "accuracy")]
    test = pairs["test", "accuracy"]
    assert test.old and test.new
    assert (test.old.value, test.old.n, test.old.interval) == (0.5, 20, (0.25, 1.0))
    assert test.new.value == 0.75


def test_examples_are_paired(make_run: Callable[..., Run]) -> None:
    paired = diff_runs(make_run(right=NAMES[:12]).folder, make_run(right=NAMES[4:15]).folder).paired
    assert paired
    assert (paired.n, paired.better, paired.worse) == (20, 3, 4)
    assert paired.difference == pytest.approx(-0.05)
    assert paired.interval and paired.interval[0] < -0.05 < paired.interval[1]


def test_few_examples_that_all_agree_leave_room_for_a_difference(make_run: Callable[..., Run]) -> None:
    paired = diff_runs(make_run().folder, make_run().folder).paired
    assert paired and paired.interval
    assert (paired.better, paired.worse) == (0, 0)
    assert paired.interval[0] < -0.05 and paired.interval[1] > 0.05


def test_equal_errors_say_nothing_of_other_examples(make_run: Callable[..., Run]) -> None:
    runs = [make_run(metric="error") for _ in range(2)]
    for run in runs:
        run.write_text("example_scores.csv", "example,split,score\na,test,0.25\nb,test,0.5\n")
    paired = diff_runs(*(run.folder for run in runs)).paired
    assert paired and (paired.difference, paired.interval) == (0, None)


def test_where_less_is_better_fewer_is_better(make_run: Callable[..., Run]) -> None:
    headline = {HEADLINE: {"metric": "error", "value": 0.5, "higher_is_better": False}}
    runs = [make_run(right=right, metric="error", **headline) for right in (NAMES[:10], NAMES[:7])]
    paired = diff_runs(*(run.folder for run in runs)).paired
    assert paired and (paired.better, paired.worse) == (3, 0)
    assert paired.difference == pytest.approx(-0.15)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data_fingerprint": "other"}, "other data or other splits"),
        ({"right": None}, "digits/0002 is not measured (created)"),
        ({"metric": "mean_error"}, "other metrics (accuracy, mean_error)"),
    ],
    ids=["data", "state", "metric"],
)
def test_what_cannot_be_compared_is_said(make_run: Callable[..., Run], change: dict[str, Any], why: str) -> None:
    found = diff_runs(make_run().folder, make_run(**change).folder)
    assert found.paired is None
    assert why in " ".join(found.notes)
    assert ("data_fingerprint" in facts(found)) == ("data_fingerprint" in change)


def test_other_tasks_are_said(make_run: Callable[..., Run]) -> None:
    old, new = make_run(), make_run()
    text = new.read_text("resolved.yaml").replace("type: image_classification ", "type: image_regression ")
    new.write_text("resolved.yaml", text)
    assert "other tasks (image_classification, image_regression)" in diff_runs(old.folder, new.folder).notes[0]


def test_a_run_without_scores_of_examples_is_named(make_run: Callable[..., Run]) -> None:
    old, new = make_run(), make_run()
    (old.folder / "example_scores.csv").unlink()
    found = diff_runs(old.folder, new.folder)
    assert found.paired is None
    assert found.notes == ("Examples cannot be paired: digits/0001 keeps no score of each example.",)


@pytest.mark.parametrize(
    "content", ["example,split,score\n00,test,much\n", "00\n01\n", "example,split,score\n00,test\n"]
)
def test_damaged_scores_of_examples_are_a_problem(make_run: Callable[..., Run], content: str) -> None:
    old, new = make_run(), make_run()
    new.write_text("example_scores.csv", content)
    with pytest.raises(ProblemError, match="is damaged"):
        diff_runs(old.folder, new.folder)


def test_environment_and_times(make_run: Callable[..., Run]) -> None:
    old, new = make_run(training_seconds=5.0), make_run(training_seconds=7.5)
    assert facts(diff_runs(old.folder, new.folder)) == {}
    new.update(versions={**new.record()["versions"], "numpy": "9.9"}, plugins=[{"folder": "more", "files": {}}])
    found = diff_runs(old.folder, new.folder)
    assert facts(found)["versions.numpy"] == (old.record()["versions"]["numpy"], "9.9")
    assert set(facts(found)) == {"versions.numpy", "plugins"}
    assert ("training_seconds", 5.0, 7.5) in [(fact.name, fact.old, fact.new) for fact in found.times]


def test_text_and_json(make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(right=NAMES[:12]), make_run("training.optimizer={type: sgd}", right=NAMES[4:15])
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(cli, ["runs", "diff", "digits/0001", "digits/0002"])
    assert shown.exit_code == 0
    words = [line.split() for line in shown.stdout.splitlines()]
    assert ["score", "A", "digits/0001", "B", "digits/0002", "B", "-", "A"] in words
    assert "test accuracy" in shown.stdout and "0.5500 [0.2750, 1.0000] n=20" in shown.stdout
    assert "On the same 20 test examples B is better on 3 and worse on 4 (difference -0.0500" in shown.stdout
    assert "Data, versions, hardware and plugins are equal." in shown.stdout
    plain = json.loads(CliRunner().invoke(cli, ["runs", "diff", "digits/0001", "digits", "--json"]).stdout)
    changes = {change.pop("path"): change for change in plain["changes"]}
    place = load_recipe("digits").root.closest(("training", "optimizer", "type")).place
    by = {"old_by": f"digits.yaml:{place.line}", "new_by": "--set 1"}
    assert changes["training.optimizer.type"] == {"old": "adam", "new": "sgd", **by}
    assert set(changes["training.optimizer.momentum"]) == {"new", "new_by"}, "a key that is not there has no value"
    assert plain["paired"]["worse"] == 4 and not math.isnan(plain["paired"]["difference"])


def test_equal_runs(make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(), make_run()
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(cli, ["runs", "diff", "digits/0001", "digits/0002"])
    assert "The recipes are equal in every value." in shown.stdout


def test_a_run_that_is_not_there(make_run: Callable[..., Run], tmp_path: Path) -> None:
    make_run()
    with pytest.raises(ProblemError, match="there is no run 'digits/0009'"):
        diff_runs("digits/0001", "digits/0009", tmp_path / "runs")


def test_a_name_still_lists_its_runs(
    make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    monkeypatch.chdir(tmp_path)
    assert "digits/0001" in CliRunner().invoke(cli, ["runs", "digits"]).stdout
    help_text = CliRunner().invoke(cli, ["runs", "--help"]).stdout
    assert "runs diff" in help_text and "runs reproduce" in help_text
    assert CliRunner().invoke(cli, ["runs", "diff", "digits"]).exit_code == 2
