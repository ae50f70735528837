"""The light commands as a user calls them: what is printed where, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cnnpipe import __version__
from cnnpipe.cli._files import command_files
from cnnpipe.cli.describe import COLUMNS
from cnnpipe.docstrings import first_line
from cnnpipe.recipe.load import shipped_recipes
from cnnpipe.report import comparison

Call = Callable[..., Result]
COMMANDS = list(command_files())


def test_the_commands_are_there() -> None:
    assert {
        "run", "new", "check", "describe", "list", "schema", "train", "evaluate", "predict", "export", "runs",
    } <= set(COMMANDS)  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_parses(call: Call, name: str) -> None:
    shown = call(name, "--help")
    assert shown.exit_code == 0
    examples = shown.stdout.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith(f"  cnnpipe {name} ") or line == f"  cnnpipe {name}" for line in examples)
    assert "--plugins" in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_group_shows_each_command(call: Call, name: str) -> None:
    shown = " ".join(call("--help").stdout.split())
    assert f"{name} {first_line(command_files()[name])}" in shown


def test_version(call: Call) -> None:
    assert call("--version").stdout == f"cnnpipe, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["chekc", "digits"], "Did you mean 'check'?"),
        (["describ"], "Did you mean 'describe'?"),
        (["zzz"], "Commands are benchmark, check, completion"),
        (["check", "digits", "--jsn"], "Did you mean one of: '--json'"),
        (["check", "digit"], "Did you mean 'digits'?"),
        (["list", "block"], "Did you mean 'blocks'?"),
        (["new", "image_clasification", "--data", "."], "Did you mean 'image_classification'?"),
    ],
)
def test_a_misspelling_is_named(call: Call, arguments: list[str], meant: str) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert meant in done.stderr
    assert done.stdout == ""


def test_check_says_ok(call: Call, recipe: Path) -> None:
    done = call("check", recipe, "--set", "model.blocks.stem.filters=8")
    assert done.exit_code == 0
    assert done.stdout.startswith("small.yaml: ok (image_classification on image_folder, ")
    assert "--set 1: model.blocks.0.filters (stem), small.yaml:7:30, was 4\n" in done.stdout
    assert done.stderr == ""


def test_check_shows_every_mistake_with_its_line(call: Call, recipe: Path) -> None:
    text = recipe.read_text().replace("filters: 4", "filter: 4").replace("epochs: 2", "epochs: two")
    recipe.write_text(text)
    done = call("check", recipe)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[:3] == [
        "small.yaml:7:30: model.blocks.0.filter: unknown key 'filter'. Did you mean 'filters'?",
        "     7 |     - {type: conv_relu_pool, filter: 4, name: stem}",
        "                                      ^",
    ]
    assert "small.yaml:9:12: training.epochs: expected a whole number (received 'two')." in done.stderr
    assert done.stderr.endswith("2 errors\n")


def test_check_json_is_the_contract(call: Call, recipe: Path) -> None:
    assert json.loads(call("check", recipe, "--json").stdout) == {"problems": []}
    recipe.write_text(recipe.read_text().replace("filters: 4", "filters: -4"))
    done = call("check", recipe, "--json")
    assert done.exit_code == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem == {
        "file": "small.yaml",
        "line": 7,
        "column": 30,
        "path": "model.blocks.0.filters",
        "message": "expected a number of at least 1 (received -4)",
        "hint": "",
        "severity": "error",
    }


def test_a_warning_is_no_failure(call: Call, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("    - flatten\n", "    - flatten\n    - {type: dense, units: 2}\n"))
    done = call("check", recipe)
    assert done.exit_code == 0
    assert "small.yaml:9:7: model.blocks.2: warning: the last dense has 2 units" in done.stderr
    assert done.stderr.endswith("1 warning\n")
    assert "ok" in done.stdout


def test_several_recipes_are_checked_together(call: Call, recipe: Path) -> None:
    done = call("check", recipe, "digits", "nowhere.yaml")
    assert done.exit_code == 2
    assert done.stdout.count(": ok (") == 2
    assert "nowhere.yaml" in done.stderr


def test_describe_json_is_the_contract(call: Call, recipe: Path) -> None:
    found = json.loads(call("describe", recipe, "--json").stdout)
    assert set(found) == {"layers", "totals", "features", "weights"}
    assert set(found["totals"]) == {"parameters", "macs", "activation_bytes"}
    keys = {
        "name",
        "block",
        "type",
        "line",
        "output_shape",
        "parameters",
        "macs",
        "receptive_field",
        "activation_bytes",
    }
    assert all(set(layer) == keys for layer in found["layers"])
    stem = next(layer for layer in found["layers"] if layer["type"] == "convolution")
    assert (stem["block"], stem["line"], stem["output_shape"]) == ("stem", 7, [16, 16, 4])
    assert (stem["parameters"], stem["macs"], stem["receptive_field"]) == (112, 16 * 16 * 27 * 4, [3, 3])
    assert found["totals"]["parameters"] == 112 + (8 * 8 * 4 * 2 + 2)


def test_describe_prints_a_table(call: Call, recipe: Path) -> None:
    lines = call("describe", recipe).stdout.splitlines()
    (stem,) = (line for line in lines if "convolution" in line)
    assert stem.split() == ["stem", "convolution", "7", "16x16x4", "112", "27,648", "3x3", "4.1", "kB", "787", "k"]
    assert lines[-1].startswith("626 parameters (2.5 kB as float32, 626 B as int8), 28,160 multiply-adds")


def test_describe_compares_several(call: Call, recipe: Path) -> None:
    lines = call("describe", recipe, "one_conv").stdout.splitlines()
    assert lines[2].split()[:4] == ["small.yaml", "626", "28.2", "k"]
    assert lines[3].split()[:4] == ["one_conv", "41,418", "483", "k"]
    both = json.loads(call("describe", recipe, "one_conv", "--json").stdout)["recipes"]
    assert list(both) == ["small.yaml", "one_conv"]


def test_describe_sorts_and_takes_patterns(call: Call, recipe: Path) -> None:
    lines = call("describe", recipe, "vgg1*", "--sort", "PARAMETERS").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["vgg19", "vgg16", "small.yaml"]
    assert [line.split()[0] for line in call("describe", recipe, "vgg1*", "--sort", "recipe").stdout.splitlines()][
        2:
    ] == ["small.yaml", "vgg16", "vgg19"]
    done = call("describe", recipe, "digits", "--sort", "size")
    assert done.exit_code == 2 and "'size' is not one of 'recipe', 'parameters'" in done.stderr
    done = call("describe", "no_such_*")
    assert done.exit_code == 2 and "no shipped recipe matches the pattern 'no_such_*'" in done.stderr


@pytest.mark.parametrize("options", [(), ("--board", "nicla_vision")], ids=("networks", "files"))
def test_describe_shows_the_others_when_one_is_broken(call: Call, recipe: Path, options: tuple[str, ...]) -> None:
    Path("broken.yaml").write_text(recipe.read_text().replace("filters: 4", "filters: -4"))
    done = call("describe", "broken.yaml", recipe, "one_conv", *options)
    assert done.exit_code == 2
    assert "broken.yaml:7:30: model.blocks.0.filters: expected a number of at least 1" in done.stderr
    assert "1 error" in done.stderr and "broken" not in done.stdout
    found = json.loads(call("describe", "broken.yaml", recipe, "one_conv", *options, "--json").stdout)
    assert list(found["recipes"]) == ["small.yaml", "one_conv"]
    assert [problem["line"] for problem in found["problems"] if problem["file"] == "broken.yaml"] == [7]
    only = call("describe", "broken.yaml", "no_such", *options)
    assert only.exit_code == 2 and not only.stdout and "2 errors" in only.stderr


def test_describe_knows_what_it_sorts_by() -> None:
    assert tuple(comparison.COLUMNS) == COLUMNS


def test_describe_tells_the_figures_of_each(call: Call, recipe: Path) -> None:
    found = json.loads(call("describe", "vgg16", "digits", "--json").stdout)["recipes"]
    assert found["vgg16"]["about"]["year"] == 2014
    assert found["digits"]["receptive_field"] == [14, 14]
    assert found["digits"]["int8"]["file_bytes"] > found["digits"]["totals"]["parameters"]
    assert found["digits"]["int8"]["arena_bytes"] < found["digits"]["totals"]["activation_bytes"]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_tables_keep_within_the_terminal(call: Call, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in (["list", "recipes"], ["describe", "vgg1*", "digits"]):
        done = call(*arguments)
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= columns
    assert ("Simonyan" in done.stdout) == (columns >= 100)
    assert ("--json show the source" in done.stdout) == (columns < 100)


def test_describe_draws_a_chart_of_several(call: Call, recipe: Path, tmp_path: Path) -> None:
    done = call("describe", recipe, "digits", "--scatter", "all.svg")
    assert done.stderr == "wrote all.svg\n"
    assert all(f">{name}</text>" in (tmp_path / "all.svg").read_text() for name in ("small", "digits"))
    assert call("describe", recipe, "digits", "--scatter", "all.pdf").exit_code == 2


def test_list_recipes_says_what_each_is(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnpipe.registry._plugin_folders", [])
    folder = tmp_path / "own" / "recipes"
    for room in (folder, folder.parent / "blocks"):
        room.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"# Mine alone\nextends: {shipped_recipes()['vgg16']}\n")
    found = json.loads(call("list", "recipes", "--json", "--plugins", "own").stdout)["recipes"]
    assert {"mine", "digits"} < set(found) and list(found) == sorted(found)
    assert {key: found["vgg16"][key] for key in ("task", "year")} == {"task": "image_classification", "year": 2014}
    assert found["mine"] == {**found["vgg16"], "summary": "Mine alone"}
    shown = call("list", "recipes", "--plugins", "own").stdout
    assert "  2014  Mine alone (Simonyan and Zisserman, table 1, D)\n" in shown


def test_describe_prints_keras(call: Call, recipe: Path) -> None:
    script = call("describe", recipe, "--keras").stdout
    compile(script, "script", "exec")
    assert "layers.Conv2D(filters=4" in script
    assert "cnnpipe" not in script


def test_describe_draws(call: Call, recipe: Path, tmp_path: Path) -> None:
    done = call("describe", recipe, "--plot", "small.svg", "--json")
    assert done.exit_code == 0
    assert done.stderr == "wrote small.svg\n"
    assert json.loads(done.stdout)["layers"]
    assert "convolution" in (tmp_path / "small.svg").read_text()


@pytest.mark.parametrize(
    "options", [["--plot", "a.svg"], ["--keras"], ["--sort", "macs", "--keras"]], ids=lambda options: options[0]
)
def test_describe_draws_and_prints_one_recipe_only(call: Call, recipe: Path, options: list[str]) -> None:
    assert call("describe", recipe, "digits", *options).exit_code == 2


def test_describe_of_a_bad_recipe(call: Call, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("filters: 4", "filters: 4, pool_size: 99, padding: valid"))
    done = call("describe", recipe, "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["problems"][0]["line"] == 7
    assert "small.yaml:7:" in done.stderr


def test_list_names_every_component(call: Call) -> None:
    from cnnpipe.registry import rooms

    found = json.loads(call("list", "--json").stdout)
    shown = call("list").stdout
    for room in rooms():
        assert list(found["tasks" if room.name == "pipelines" else room.name]) == room.names()
        assert all(f"\n  {name} " in shown for name in room.names())
    assert list(found["recipes"]) == sorted(shipped_recipes())
    assert all(line for names in found.values() for line in names.values())


@pytest.mark.parametrize("kind", ["blocks", "targets", "tasks", "pipelines", "recipes"])
def test_list_one_kind(call: Call, kind: str) -> None:
    (title,) = json.loads(call("list", kind, "--json").stdout)
    assert title == {"pipelines": "tasks"}.get(kind, kind)


def test_schema(call: Call, tmp_path: Path) -> None:
    schema = json.loads(call("schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    done = call("schema", "--output", "recipe.schema.json")
    assert "# yaml-language-server: $schema=recipe.schema.json" in done.stdout
    assert json.loads((tmp_path / "recipe.schema.json").read_text()) == schema


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(call: Call, shell: str) -> None:
    done = call("completion", shell)
    assert done.exit_code == 0
    assert "_CNNPIPE_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [("cnnpipe ch", "check"), ("cnnpipe run dig", "digits"), ("cnnpipe check --js", "--json")],
)
def test_completion_completes(call: Call, words: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CNNPIPE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert f"plain,{expected}\n" in call().stdout


def test_runs_of_an_empty_folder(call: Call) -> None:
    assert call("runs").stdout == "no runs in runs\n"
    assert json.loads(call("runs", "--json").stdout) == {"runs": []}


@pytest.mark.parametrize(
    ("options", "terminal", "answer", "asked", "mirrors"),
    [
        ([], True, "y\n", True, True),
        ([], True, "\n", True, False),
        ([], False, "", False, False),
        (["--json"], True, "", False, False),
        (["--flip"], True, "", False, True),
        (["--no-flip"], True, "", False, False),
    ],
)
def test_new_asks_on_a_terminal_whether_training_may_mirror(
    call: Call, make_photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch,
    options: list[str], terminal: bool, answer: str, asked: bool, mirrors: bool,
) -> None:  # fmt: skip
    questions: list[str] = []

    def confirm(text: str, **settings: object) -> bool:
        questions.append(text)
        return answer == "y\n"

    make_photos(Path("photos"), {"circle": 3, "square": 3})
    monkeypatch.setattr("cnnpipe.cli.new.is_terminal", lambda: terminal)
    monkeypatch.setattr("click.confirm", confirm)
    done = call("new", "image_classification", "--data", "photos", *options)
    assert done.exit_code == 0, done.stderr
    assert bool(questions) == asked
    assert ("Training mirrors pictures" in done.stdout) == mirrors
    assert ("\n    - {type: random_flip" in Path("photos.yaml").read_text()) == mirrors
