"""Scales of quantized files, and files that the fast kernels of this host do not take whole."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.bundle.attempt import Bench, attempt
from cnnpipe.bundle.comparison import Comparer
from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.delegation import told_if_slower
from cnnpipe.bundle.export import export_all
from cnnpipe.bundle.runtime import file_outputs
from cnnpipe.bundle.subject import Subject
from cnnpipe.manifest import read_manifest


def scales_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "scales.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("granularity", "counts"), [("per_channel", {8, 64, 4}), ("per_tensor", {1})])
def test_weights_have_a_scale_for_each_channel_or_one_for_all(
    painted: Any, tmp_path: Path, granularity: str, counts: set[int]
) -> None:
    plan = painted.plan(quantization="int8", granularity=granularity, max_drop=0.1)
    (one,) = export_all([plan], painted.subject, tmp_path, painted.workers)
    manifest, rows = read_manifest(one.folder), scales_of(one.folder)
    weights = [row for row in rows if row["constant"] == "True" and row["type"] == "int8"]
    assert one.passed and manifest.granularity == granularity
    assert len(weights) == 3 and {int(row["scales"]) for row in weights} == counts
    for row in weights:
        assert (float(row["smallest_scale"]) < float(row["largest_scale"])) == (granularity == "per_channel")
    (image,) = [row for row in rows if row["tensor"] == "image"]
    assert float(image["smallest_scale"]) == pytest.approx(manifest.inputs[0].scale)
    assert int(image["zero_point"]) == manifest.inputs[0].zero_point


def test_dynamic_range_has_one_scale_for_all_too(painted: Any, tmp_path: Path) -> None:
    plan = painted.plan(quantization="dynamic_range", granularity="per_tensor")
    (one,) = export_all([plan], painted.subject, tmp_path, painted.workers)
    assert [row["scales"] for row in scales_of(one.folder)] == ["1"]


def test_a_float_file_has_no_table_of_scales(exported: Any) -> None:
    assert not (exported["generic-none"].folder / "scales.csv").exists()
    assert read_manifest(exported["generic-none"].folder).granularity is None


def untrained(painted: Any, folder: Path, activation: str) -> Subject:
    """A network of this activation with the weights that it was born with."""
    from cnnpipe.build import build_model, get_weights, save_weights
    from cnnpipe.evaluation import caller

    block = {"type": "conv", "filters": 8, "activation": activation}
    graph = painted.graph(block, block, "global_average_pooling")
    network = build_model(graph)
    save_weights(folder / "weights.npz", get_weights(network))
    call = caller(network, painted.subject.signature)
    return replace(painted.subject, graph=graph, weights=folder / "weights.npz", call=call)


@pytest.mark.parametrize(("activation", "cut"), [("relu", False), ("hard_silu", True)])
def test_layers_that_cut_the_file_are_told_where_integers_are_slower_for_it(
    painted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, activation: str, cut: bool
) -> None:
    subject = untrained(painted, tmp_path, activation)
    bench = Bench(subject, painted.workers, Comparer(subject, painted.workers.runtime), tmp_path)
    made = attempt(painted.plan(quantization="int8"), bench)
    times = iter((2.8, 0.8, 0.8, 0.8))
    monkeypatch.setattr("cnnpipe.bundle.delegation.latency_ms", lambda *_: next(times))
    notes = told_if_slower(made, bench).runnable.facts.notes
    if not cut:
        assert notes == made.runnable.facts.notes
        return
    (note,) = set(notes) - set(made.runnable.facts.notes)
    assert "int8 takes 3.5 times the time of float on this host: the delegate does not take HARD_SWISH (" in note
    assert "blocks.0 at model.blocks.0" in note and "blocks.1 at model.blocks.1" in note
    assert "falls into 3 parts" in note
    assert told_if_slower(made, bench).runnable.facts.notes == made.runnable.facts.notes  # as fast as float: no word


def test_an_export_says_that_its_file_falls_into_parts(painted: Any, tmp_path: Path, monkeypatch: Any) -> None:
    subject, times = untrained(painted, tmp_path, "hard_silu"), iter((2.8, 0.8))
    monkeypatch.setattr("cnnpipe.bundle.delegation.latency_ms", lambda *_: next(times))
    (one,) = export_all([painted.plan(quantization="int8")], subject, tmp_path / "exports", painted.workers)
    assert "the delegate does not take HARD_SWISH" in "; ".join(one.runnable.facts.notes)


def test_all_quantized_tensors_are_listed(exported: Any) -> None:
    rows = scales_of(exported["generic-int8"].folder)
    assert {row["layer"] for row in rows if row["layer"]} >= {"n002_convolution", "n006_dense", "n008_dense"}
    assert all(float(row["smallest_scale"]) > 0 for row in rows)
    assert np.all([int(row["scales"]) >= 1 for row in rows])


def test_biases_take_off_what_rounded_weights_add_on_average(painted: Any, tmp_path: Path) -> None:
    """One weight of each channel leaves such large steps for the others that most of these are rounded to one side."""
    from cnnpipe.build import build_model, load_weights, save_weights, set_weights
    from cnnpipe.evaluation import caller

    weights = {name: [np.array(one) for one in many] for name, many in load_weights(painted.subject.weights).items()}
    kernel = next(iter(weights.values()))[0]
    kernel[:] = 0.007
    kernel[0, 0, 0] = 2.0
    save_weights(tmp_path / "weights.npz", weights)
    network = build_model(painted.subject.graph)
    set_weights(network, weights)
    call = caller(network, painted.subject.signature)
    subject = replace(painted.subject, weights=tmp_path / "weights.npz", call=call)
    inputs = subject.splits["validation"].inputs
    wanted = call(inputs)["probabilities"]
    apart, operators, notes = [], [], []
    for name in ("plain", "corrected"):
        plan = replace(painted.plan(quantization="int8", output_type="float32"), corrected_biases=name == "corrected")
        runnable = convert(plan, subject, painted.workers, tmp_path / f"{name}.tflite")
        found = file_outputs(painted.workers.runtime, runnable, inputs)["probabilities"]
        apart.append(np.abs((found - wanted).mean(axis=0)).max())
        operators.append(runnable.facts.operators)
        notes.append([note for note in runnable.facts.notes if "taken off its bias" in note])
    assert apart[1] < apart[0] / 2, apart
    assert operators[0] == operators[1]
    assert list(map(len, notes)) == [0, 1]
