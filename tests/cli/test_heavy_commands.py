"""The commands that train and export, with made-up jobs: what they hand over, what they print, how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from cnnpipe.errors import Place, Problem
from cnnpipe.evaluation import Drop
from cnnpipe.exporters import TensorError
from cnnpipe.jobs.results import EvaluateResult, ExportResult, ExportsResult, PredictResult, RunResult, TrainResult
from cnnpipe.jobs.sensitivity import SensitivityResult
from cnnpipe.quantization.sensitivity import Sensitivity
from cnnpipe.task import Metric, Score, Scores

Call = Callable[..., Result]
RUN = Path("runs/digits/0001")
METRIC = Metric("accuracy")
SCORES = Scores({"accuracy": Score(0.9, 10, (0.6, 0.98))})
TRAINED = TrainResult(RUN, METRIC, SCORES, 3, 2, 1.5)
PLACE = RUN / "exports" / "generic-int8" / "model.tflite"
FILE = ExportResult(PLACE, "generic", "int8", 1000, Score(0.9, 10), Drop(0.0, 0, 0, 0, 10), True)
LOST = replace(FILE, passed=False, problems=(Problem("the file loses 0.3 of accuracy; max_drop allows 0.01"),))


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], list[Any]]:
    """Return a function that puts a made-up job in the place of one, and gives the list of what it is called with."""

    def put(name: str, result: Any) -> list[Any]:
        calls: list[Any] = []

        def called(*arguments: Any, **settings: Any) -> Any:
            settings.pop("listener", None)
            calls.append((arguments, settings))
            return result

        monkeypatch.setattr(f"cnnpipe.jobs.{name}", called)
        return calls

    return put


def test_run(call: Call, job: Callable[..., list[Any]]) -> None:
    calls = job("run.run", RunResult(TRAINED, ExportsResult(RUN, METRIC, (FILE,))))
    done = call("run", "digits", "--set", "seed=1", "--runs", "elsewhere")
    assert done.exit_code == 0
    assert calls == [(("digits", ("seed=1",)), {"runs_folder": Path("elsewhere"), "workers": None})]
    assert "generic int8" in done.stdout


def test_a_broken_promise_ends_with_1_and_is_told(call: Call, job: Callable[..., list[Any]]) -> None:
    job("run.run", RunResult(TRAINED, ExportsResult(RUN, METRIC, (FILE, LOST))))
    shown = call("run", "digits")
    assert shown.exit_code == 1
    assert "FAILED" in shown.stdout
    assert "the file loses 0.3 of accuracy" in shown.stderr
    as_json = call("run", "digits", "--json")
    assert as_json.exit_code == 1
    assert [export["passed"] for export in json.loads(as_json.stdout)["exports"]] == [True, False]


def test_train_and_resume(call: Call, job: Callable[..., list[Any]]) -> None:
    begun, resumed = job("train.train", TRAINED), job("train.resume", TRAINED)
    assert json.loads(call("train", "digits", "--json").stdout)["run"] == str(RUN)
    assert call("train", "--resume", "digits/0001").exit_code == 0
    alone = {"runs_folder": Path("runs"), "workers": None, "listen": None}
    assert begun == [(("digits", ()), alone)]
    assert resumed == [(("digits/0001",), {**alone, "overrides": ()})]


def test_train_with_workers(call: Call, job: Callable[..., list[Any]]) -> None:
    begun, joined = job("train.train", TRAINED), job("join.join", 7)
    assert call("train", "digits", "--workers", "3", "--listen", "0.0.0.0:8000").exit_code == 0
    assert begun[0][1] == {"runs_folder": Path("runs"), "workers": 3, "listen": "0.0.0.0:8000"}
    assert call("train", "--join", "chief:8000", "--set", "data.source.path=/d").exit_code == 0
    assert joined == [(("chief:8000", ("data.source.path=/d",), Path("runs")), {})]
    assert json.loads(call("train", "--join", "chief:8000", "--json").stdout) == {"chief": "chief:8000", "epochs": 7}
    assert call("train", "--join", "chief:8000", "--workers", "3").exit_code == 2
    assert call("train", "digits", "--join", "chief:8000").exit_code == 2


@pytest.mark.parametrize(
    "arguments", [[], ["digits", "--resume", "digits"], ["--resume", "digits", "--set", "seed=1"]], ids=str
)
def test_train_takes_a_recipe_or_a_run(call: Call, arguments: list[str]) -> None:
    assert call("train", *arguments).exit_code == 2


def test_export(call: Call, job: Callable[..., list[Any]]) -> None:
    calls = job("export.export", ExportsResult(RUN, METRIC, (FILE,)))
    done = call("export", "digits", "--quantization", "int8", "--max-drop", "0.01", "--json")
    assert set(json.loads(done.stdout)) == {"run", "exports"}
    call("export", "digits")
    call("export", "digits", "--postprocessing", "class_map")
    items = [arguments[1] for arguments, _ in calls]
    assert items == [{"quantization": "int8", "max_drop": 0.01}, None, {"postprocessing": "class_map"}]


def test_sensitivity(call: Call, job: Callable[..., list[Any]]) -> None:
    place = Place("resolved.yaml", 48, 7)
    hurt = Sensitivity(1, TensorError("CONV_2D", "n002", 0.25, 0.4), ("n002",), "stem", "model.blocks.0", place)
    fine = Sensitivity(0, TensorError("SOFTMAX", "n009", 0.3, 0.0), ("n009",), "head", "task.head", None)
    calls = job("sensitivity.sensitivity", SensitivityResult(RUN, (hurt, fine)))
    lines = call("sensitivity", "digits", "--granularity", "per_tensor").stdout.splitlines()
    assert calls[0][0] == ("digits", {"granularity": "per_tensor"})
    assert lines[2].split() == ["stem", "n002", "CONV_2D", "0.25", "40.0%", "hurt", "resolved.yaml:48:7"]
    assert lines[3].split() == ["head", "n009", "SOFTMAX", "0.30", "0.0%", "task.head"]
    assert lines[-1].startswith("1 of 2 operators lose more in int8 than rounding explains")
    told = json.loads(call("sensitivity", "digits", "--json").stdout)["operators"]
    assert [(one["operator"], one["line"], one["suspect"]) for one in told] == [
        ("CONV_2D", 48, True),
        ("SOFTMAX", None, False),
    ]


def test_evaluate(call: Call, job: Callable[..., list[Any]]) -> None:
    calls = job("evaluate.evaluate", EvaluateResult("validation", METRIC, SCORES))
    done = call("evaluate", "digits", "--split", "validation", "--json")
    assert set(json.loads(done.stdout)) == {"scores"}
    assert calls[0][0] == ("digits", "validation")


def test_predict(call: Call, job: Callable[..., list[Any]]) -> None:
    said = {"label": "cat", "confidence": 0.9, "confidences": {"cat": 0.9, "dog": 0.1}}
    job("predict.predict", PredictResult((Path("a.jpg"),), [said]))
    done = call("predict", "digits", "a.jpg", "--json")
    assert json.loads(done.stdout) == {"predictions": [{"file": "a.jpg", **said}]}


@pytest.mark.parametrize("command", ["export", "evaluate", "predict"])
def test_a_run_that_is_not_there(call: Call, command: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    done = call(command, "digits/0007", *(["a.jpg"] if command == "predict" else []))
    assert done.exit_code == 2
    assert "there is no run 'digits/0007'" in done.stderr


def test_new_says_the_next_command(call: Call, make_photos: Callable[..., Path], tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", {"circle": 6, "square": 6})
    done = call("new", "image_classification", "--data", "photos")
    assert done.stdout.endswith("wrote photos.yaml\nnext: cnnpipe run photos.yaml\n")
    assert "\nTraining does not mirror pictures. " in done.stdout
    assert call("new", "image_classification", "--data", "photos").exit_code == 2
    assert (
        json.loads(call("new", "image_classification", "--data", "photos", "--output", "b.yaml", "--json").stdout)[
            "file"
        ]
        == "b.yaml"
    )


def test_a_command_of_a_plugin_folder(tmp_path: Path) -> None:
    (tmp_path / "more" / "cli").mkdir(parents=True)
    (tmp_path / "more" / "cli" / "say_hello.py").write_text(
        '"""Say hello."""\n\nimport click\n\nfrom cnnpipe.cli._command import make_command\n\n\n'
        '@make_command(__doc__, examples=["cnnpipe say-hello"])\n'
        'def command() -> None:\n    click.echo("hello")\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def cnnpipe(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cnnpipe", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert cnnpipe("--plugins", "more", "say-hello").stdout == "hello\n"
    assert "say-hello" in cnnpipe("--plugins", "more", "--help").stdout
    assert cnnpipe("say-hello").returncode == 2

    broken = tmp_path / "more" / "cli" / "broken.py"
    for content, argument, text in [
        ("1 +", "--help", "broken.py is not valid Python"),
        ("import nothing_of_this_name", "broken", "broken.py cannot be imported (ModuleNotFoundError: "),
    ]:
        broken.write_text(content)
        done = cnnpipe("--plugins", "more", argument)
        assert done.returncode == 2
        assert text in done.stderr
        assert "Traceback" not in done.stderr
    broken.unlink()
    (tmp_path / "more" / "cli" / "run.py").write_text('"""Another run."""\n')
    assert "both define the command 'run'" in cnnpipe("--plugins", "more", "--help").stderr
