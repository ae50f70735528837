"""Every bad recipe of this folder gives exactly the text beside it.

A first line `# --set PATH=VALUE ...` is what the command line says.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnnpipe.jobs.check import check

HERE = Path(__file__).parent
RECIPES = sorted(HERE.glob("*.yaml"))


def overrides(file: Path) -> list[str]:
    first = file.read_bytes().partition(b"\n")[0].decode("latin-1")
    return shlex.split(first.removeprefix("# --set ")) if first.startswith("# --set ") else []


def said(file: Path) -> str:
    problems = check(file.name, overrides(file)).problems
    return "".join(f"{problem}\n" for problem in problems)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_text(file, monkeypatch, request):
    monkeypatch.chdir(HERE)
    text, golden = said(file), file.with_suffix(".txt")
    if request.config.getoption("--rewrite-goldens", default=False):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_recipe_is_bad_and_has_its_text():
    assert len(RECIPES) >= 40
    assert {file.stem for file in HERE.glob("*.txt")} == {file.stem for file in RECIPES}
    for golden in HERE.glob("*.txt"):
        text = golden.read_text(encoding="utf-8")
        assert text.startswith((golden.stem + ".yaml:", "parents/", "--set ")), golden
        assert "pydantic" not in text and "Traceback" not in text
