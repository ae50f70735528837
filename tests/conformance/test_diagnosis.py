"""Every file of the room of findings: what it says of itself, of nothing, and of examples that nobody looked at."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

import cnnpipe
from cnnpipe.diagnosis import SEVERITIES, SHIPPED, Finding, all_findings
from cnnpipe.examination import Examination, Examined
from cnnpipe.recipe.schema import Recipe

NAMES = sorted(file.stem for file in SHIPPED.glob("[a-z]*.py"))
FLIPPED = ["data.augmentation=[random_flip]"]


def module(name: str) -> ModuleType:
    return importlib.import_module(f"cnnpipe.diagnosis.{name}")


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return cnnpipe.load_recipe("digits", FLIPPED).recipe


def test_files_were_seen() -> None:
    assert len(NAMES) >= 19


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_nothing_wrong_with_nothing(name: str, recipe: Recipe) -> None:
    found = list(module(name).findings(Examination(recipe, (), ())))
    assert all(finding.severity == "note" for finding in found) or name == "mirrored_classes"


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_what_to_do_without_pictures_and_splits(name: str, recipe: Recipe) -> None:
    """So are the examples of `run`, those that cannot be read, and sounds."""
    examples = tuple(
        Examined(str(number), split, labels, digest, unreadable="" if digest else "it is broken")
        for number, (split, labels, digest) in enumerate([
            ("training", ("a",), "1"), ("training", ("a", "b"), "1"), ("test", ("b",), "1"), ("validation", (), "2"),
            (None, (), ""),
        ])
    )  # fmt: skip
    for finding in module(name).findings(Examination(recipe, ("a", "b"), examples, ("A note.",))):
        assert isinstance(finding, Finding)
        assert finding.severity in SEVERITIES
        assert finding.count >= 1
        assert finding.message and not finding.message.endswith(".")
        assert not finding.hint or finding.hint.endswith(".")


def test_what_every_run_tells_needs_no_pictures(recipe: Recipe) -> None:
    told = {name for name in NAMES if module(name).IN_EVERY_RUN}
    assert {"class_balance", "small_classes", "copies_within_a_split"} <= told < set(NAMES)
    examples = [Examined(str(number), "training", ("a",), str(number % 30)) for number in range(40)]
    examples += [Examined("one", "training", ("b",), "other")]
    found = all_findings(Examination(recipe, ("a", "b"), tuple(examples)), in_run=True)
    assert [finding.check for finding in found] == ["class_balance", "copies_within_a_split", "small_classes"]
    assert {finding.severity for finding in found} == {"warning"}


def test_a_file_of_a_plugin_folder_joins_in(tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "diagnosis").mkdir()
    (tmp_path / "diagnosis" / "friday.py").write_text(
        '"""It is Friday."""\n'
        "from cnnpipe.diagnosis import Finding\n"
        "IN_EVERY_RUN = True\n"
        "def findings(data):\n"
        "    yield Finding('note', 'it is Friday', 1)\n"
    )
    monkeypatch.setattr("cnnpipe.registry._plugin_folders", [])
    cnnpipe.add_plugins(tmp_path)
    (finding,) = all_findings(Examination(recipe, (), ()), in_run=True)
    assert (finding.check, finding.message) == ("friday", "it is Friday")
