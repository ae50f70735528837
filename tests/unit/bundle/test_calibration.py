"""What a quantized file is calibrated on: the examples given, and two constant frames that pin the input's range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from cnnpipe.bundle.calibration import chosen_rows
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import CONSTANT_FRAMES, Job, _calibration
from cnnpipe.data import SplitData
from cnnpipe.graph import Graph
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.exports import PlannedExport, planned_export
from cnnpipe.recipe.schema import Export
from cnnpipe.registry import Component
from cnnpipe.task import Facts, Task


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        exporter={}, plan={}, inputs={"image": (2, 2, 1)}, weights=None, seed=0, calibration=tmp_path / "rows.npz",
        normalization=None, quantization="int8", input_type="int8", output_type="int8", file=tmp_path / "model.tflite",
    )  # fmt: skip


def test_pixels_of_few_levels_are_followed_by_the_darkest_and_the_brightest_frame(job: Job) -> None:
    assert job.calibration is not None
    np.savez(job.calibration, image=np.full((3, 2, 2, 1), 100, np.uint8))
    samples = [sample["image"] for sample in _calibration(job)]
    assert [sample.shape for sample in samples] == [(1, 2, 2, 1)] * (3 + CONSTANT_FRAMES)
    assert [sample.min() for sample in samples] == [sample.max() for sample in samples] == [100, 100, 100, 0, 255]


def test_a_normalization_that_the_input_carries_is_applied_to_every_sample(job: Job) -> None:
    assert job.calibration is not None
    np.savez(job.calibration, image=np.full((1, 2, 2, 1), 255, np.uint8))
    samples = _calibration(replace(job, normalization=(2 / 255, -1.0)))
    assert [float(sample["image"].max()) for sample in samples] == pytest.approx([1.0, -1.0, 1.0])


def test_inputs_that_are_no_pixels_get_no_constant_frames(job: Job) -> None:
    assert job.calibration is not None
    np.savez(job.calibration, image=np.zeros((3, 2, 2, 1), np.float32))
    assert len(_calibration(job)) == 3


def test_training_pictures_are_read_exactly_for_it(tmp_path: Path, make_photos: Callable[..., Path]) -> None:
    files = tuple(sorted(make_photos(tmp_path / "photos", {"circle": 3}).rglob("*.jpg")))
    facts = Facts(Image(image_size=(12, 16)), ("circle", "square"))
    trained_on = SplitData(("a", "b", "c"), files, {"image": np.zeros((3, 12, 16, 3), np.uint8)}, {})
    task = cast(Task, Component("pipelines").validate("image_classification"))
    subject = Subject(
        task, facts, cast(Graph, None), tmp_path, {"training": trained_on, "test": trained_on}, lambda inputs: inputs
    )
    truth = [facts.preprocessing.apply(files[row].read_bytes()) for row in (2, 0)]
    assert np.array_equal(subject.network_inputs("training", [2, 0])["image"], truth)
    assert not subject.network_inputs("test", [2, 0])["image"].any()


def subject_of(labels: list[int], seed: int = 0) -> Subject:
    number = len(labels)
    names = tuple(map(str, range(number)))
    targets = {"probabilities": np.array(labels, np.int32)}
    training = SplitData(names, (None,) * number, {"image": np.zeros((number, 2, 2, 1), np.uint8)}, targets)
    task = cast(Task, Component("pipelines").validate("image_classification"))
    facts = Facts(Image(image_size=(2, 2)), ("a", "b", "c"))
    return Subject(task, facts, cast(Graph, None), Path(), {"training": training}, lambda inputs: inputs, seed)


def plan(**given: object) -> PlannedExport:
    return planned_export(0, Export.model_validate({"target": "generic", "quantization": "int8", **given}))


def test_a_random_choice_is_the_same_for_the_same_seed() -> None:
    labels = [0] * 90 + [1] * 10
    chosen = chosen_rows(plan(calibration_examples=20), subject_of(labels))
    assert chosen == sorted(chosen) == chosen_rows(plan(calibration_examples=20), subject_of(labels))
    assert chosen != chosen_rows(plan(calibration_examples=20), subject_of(labels, seed=1))
    assert len(set(chosen)) == 20


@pytest.mark.parametrize(("examples", "counts"), [(12, [4, 4, 4]), (30, [13, 13, 4]), (200, [50, 40, 4])])
def test_a_balanced_choice_takes_equally_many_of_each_label_as_far_as_there_are(
    examples: int, counts: list[int]
) -> None:
    labels = [0] * 50 + [1] * 40 + [2] * 4
    chosen = chosen_rows(plan(calibration_examples=examples, calibration_choice="balanced"), subject_of(labels))
    assert np.bincount([labels[row] for row in chosen]).tolist() == counts
