"""The last screens, on made-up results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnnpipe.cli._screens import screen
from cnnpipe.errors import Problem
from cnnpipe.evaluation import Drop
from cnnpipe.jobs.results import EvaluateResult, ExportResult, ExportsResult, PredictResult, RunResult, TrainResult
from cnnpipe.manifest import Rung
from cnnpipe.task import Metric, Score, Scores

RUN = Path("runs/digits/0007")
METRIC = Metric("accuracy")
SCORES = Scores({"accuracy": Score(0.9871, 360, (0.9692, 0.9948)), "macro_f1": Score(0.98, 360)}, {"per_class": {}})
TRAINING = TrainResult(RUN, METRIC, SCORES, 15, 12, 14.6)
FILE = ExportResult(
    RUN / "exports" / "generic-int8" / "model.tflite", "generic", "int8", 91_700, Score(0.9843, 360, (0.9656, 0.9929)),
    Drop(0.0028, 5, 3, 2, 360), True, latency_ms=0.0123,
)  # fmt: skip


def shown(*exports: ExportResult) -> str:
    return screen(RunResult(TRAINING, ExportsResult(RUN, METRIC, exports)))


def test_the_screen_of_run_says_all_that_matters() -> None:
    text = shown(FILE)
    keras, int8 = (line for line in text.splitlines() if line.startswith(("Keras model", "generic int8")))
    assert "0.9871 (0.9692 to 0.9948) of 360" in keras
    assert "0.9843 (0.9656 to 0.9929) of 360" in int8
    assert "differs on 5 of 360: 3 lost, 2 won" in int8
    assert int8.split()[2:4] == ["91.7", "kB"]
    assert int8.endswith("0.01 ms  passed")
    assert "15 epochs in 15 s, kept epoch 12" in text
    assert str(FILE.file) in text
    assert text.count("\nnext   cnnpipe ") == 2


@pytest.mark.parametrize(
    ("drop", "text"),
    [
        (Drop(0.0, 0, 0, 0, 360), "same on all 360"),
        (Drop(0.25, None, None, None, 7), "drop 0.2500 on 7"),
        (Drop(-0.01, 2, 0, 2, 200), "drop -0.0100, differs on 2 of 200: 0 lost, 2 won"),
    ],
)
def test_drops(drop: Drop, text: str) -> None:
    assert text in shown(replace(FILE, drop=drop))


def test_a_rejected_file_is_named_with_the_split_that_rejected_it() -> None:
    text = shown(replace(FILE, passed=False, split="validation", problems=(Problem("it lost 9"),)))
    assert "(validation)" in text
    assert "FAILED" in text


def test_names_with_spaces_can_be_pasted_into_a_shell() -> None:
    spaced = replace(FILE, file=Path("runs/my digits/0001/exports/generic-int8/model.tflite"))
    assert "cnnpipe predict 'runs/my digits/0001/exports/generic-int8' FILE" in shown(spaced)


def test_train_says_how_to_export() -> None:
    text = screen(TRAINING)
    assert "macro_f1  0.9800 of 360" in text
    assert "next   cnnpipe export runs/digits/0007" in text


def test_evaluate_names_its_split() -> None:
    assert screen(EvaluateResult("validation", METRIC, SCORES)).startswith("validation split\naccuracy ")


def test_predict_is_a_table_without_the_long_parts() -> None:
    said = {"label": "cat", "confidence": 0.5, "confidences": {"cat": 0.5, "dog": 0.5}}
    lines = screen(PredictResult((Path("a.jpg"),), [said])).splitlines()
    assert lines[0].split() == ["file", "label", "confidence"]
    assert lines[2].split() == ["a.jpg", "cat", "0.5000"]


def test_what_a_rejected_file_lost_is_a_table() -> None:
    lost = tuple(
        (f"{n}.jpg", {"label": "cat", "confidence": 0.9}, {"label": "dog", "confidence": 0.6}) for n in range(12)
    )
    folder = RUN / "exports" / "generic-int8.rejected"
    text = shown(replace(FILE, file=folder / "model.tflite", passed=False, lost=lost))
    assert "lost by generic int8  Keras label  Keras confidence  file label  file confidence" in text
    assert text.count("  cat ") == 10 and f"and 2 more in {folder}" in text
    assert f"next   cnnpipe predict {RUN} FILE" in text  # a rejected file is no bundle
    assert "lost by" not in shown(FILE)


@pytest.mark.parametrize(("labels", "cell"), [(["cat", "dog"], "cat, dog"), ([], "-")])
def test_predict_shows_several_labels_as_one_text(labels: list[str], cell: str) -> None:
    said = {"label": labels, "confidence": 0.5, "confidences": {"cat": 0.5, "dog": 0.5}}
    assert f"a.jpg  {cell} " in screen(PredictResult((Path("a.jpg"),), [said]))


def test_json_is_the_contract() -> None:
    found = RunResult(TRAINING, ExportsResult(RUN, METRIC, (FILE,))).as_json()
    assert list(found) == ["run", "scores", "exports"]
    assert found["scores"]["accuracy"] == 0.9871
    assert found["scores"]["n"] == 360
    assert found["scores"]["intervals"] == {"accuracy": [0.9692, 0.9948]}
    assert found["exports"] == [
        {
            "file": str(FILE.file), "target": "generic", "quantization": "int8", "bytes": 91_700, "score": 0.9843,
            "drop": 0.0028, "passed": True, "proofs": [],
        }
    ]  # fmt: skip


LADDER = (
    Rung(
        rung="int8", quantization="int8", state="failed", bytes=91_700, latency_ms=0.012, score=0.9, drop=0.08, lost=9,
        won=1,
    ),
    Rung(rung="int8, more calibration", quantization="int8", state="not run", reason="all 20 were used already"),
    Rung(rung="float16", quantization="float16", state="chosen", bytes=180_000, latency_ms=0.02, score=0.98, drop=0.0),
)  # fmt: skip


def test_a_ladder_is_shown_rung_by_rung() -> None:
    text = shown(replace(FILE, quantization="float16", ladder=LADDER))
    lines = [line.split("  ") for line in text.splitlines()]
    (failed,) = [line for line in lines if line[0] == "int8"]
    (chosen,) = [line for line in lines if line[0] == "float16"]
    assert [cell.strip() for cell in failed if cell.strip()] == [
        "int8", "91.7 kB", "0.9000", "0.0800", "9", "1", "0.012 ms", "loses too much",
    ]  # fmt: skip
    assert chosen[-1] == "chosen" and "180 kB" in " ".join(chosen)
    assert "int8, more calibration: all 20 were used already" in text.splitlines()


def test_json_tells_the_ladder_where_there_is_one() -> None:
    assert "ladder" not in FILE.as_json()
    told = replace(FILE, ladder=LADDER).as_json()["ladder"]
    assert [(rung["rung"], rung["state"], rung["drop"]) for rung in told] == [
        ("int8", "failed", 0.08),
        ("int8, more calibration", "not run", None),
        ("float16", "chosen", 0.0),
    ]
