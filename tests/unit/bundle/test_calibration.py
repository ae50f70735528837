"""What a quantized file is calibrated on: the examples given, and two constant frames that pin the input's range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnpipe.bundle.workers import CONSTANT_FRAMES, Job, _calibration


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
