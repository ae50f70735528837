"""The laws of the house, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnpipe.registry import room, rooms

ROOT = Path(__file__).parents[2]
ENGINE = sorted((ROOT / "cnnpipe").rglob("*.py"))
TASKS = sorted((ROOT / "pipelines").glob("*.py"))
MAX_LINES = 400
MAX_FUNCTION = 60
ALLOWED_FOR_TASKS = {
    "__future__", "collections", "dataclasses", "functools", "typing", "math", "pydantic", "numpy", "keras",
    "tensorflow",
    *(f"cnnpipe.{room}" for room in (
        "task", "heads", "necks", "model", "first_network", "class_list", "objects", "annotations", "placement",
        "run_lengths", "datasets",
        "preprocessing", "blocks", "graph", "registry", "spec", "errors",
        "statistics", "metrics", "losses", "layers", "boxes",
    )),
}  # fmt: skip


def identifier(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def docstrings(tree: ast.Module) -> set[int]:
    """Return the ids of all constants that are docstrings: they may speak of tasks, code may not."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                found.add(id(statement.value))
    return found


@pytest.mark.parametrize("file", ENGINE, ids=identifier)
def test_the_engine_names_no_task(file: Path) -> None:
    tasks = room("pipelines").names()
    assert tasks
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            named = [task for task in tasks if task in node.value]
            assert not named or file.parent.name == "cli", f"line {node.lineno} names the task {named}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not [name for name in imported(ast.Module([node], [])) if name.startswith("cnnpipe.pipelines.")]


@pytest.mark.parametrize("file", TASKS, ids=identifier)
def test_a_task_imports_only_rooms_below(file: Path) -> None:
    for name in imported(ast.parse(file.read_text(encoding="utf-8"))):
        parts = name.split(".")
        prefixes = {".".join(parts[: length + 1]) for length in range(len(parts))}
        assert prefixes & ALLOWED_FOR_TASKS, f"{name} is not below pipelines"


@pytest.mark.parametrize("file", [*ENGINE, *TASKS], ids=identifier)
def test_files_and_functions_are_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name


@pytest.mark.parametrize("file", [*ENGINE, *TASKS], ids=identifier)
def test_every_file_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_no_component_is_named_outside_its_file_to_be_found() -> None:
    """Every component is found by its file name: there is a class for each file, and no other file is needed."""
    for found in rooms():
        assert found.names() or found.name == "schedules"
        for name in found.names():
            assert found.load(name).model_fields["type"].default == name


def test_tests_have_unique_names() -> None:
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
