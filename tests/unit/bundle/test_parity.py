"""What counts as the same answer, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.bundle.feed import Feed, dequantize, feed_of
from cnnpipe.bundle.parity import compare_outputs
from cnnpipe.errors import ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.task import differs

NAMES = [f"photo {number}" for number in range(100)]


def _parity(reference: np.ndarray, found: np.ndarray, quantization: str, scale: float | None = None):  # type: ignore[no-untyped-def]
    tensor = TensorFacts("probabilities", (1, 4), "int8" if scale else "float32", scale, -128 if scale else None)
    (one,) = compare_outputs({"probabilities": reference}, {"probabilities": found}, [tensor], quantization, NAMES)  # type: ignore[arg-type]
    return one


def _probabilities(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).random((100, 4)) ** 4
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def test_a_float_file_may_differ_in_the_last_digits_only_and_the_worst_example_is_named() -> None:
    right = _probabilities(0)
    assert _parity(right, right + 1e-6, "none").passed
    wrong = right.copy()
    wrong[42, 1] += 1e-3
    found = _parity(right, wrong, "none")
    assert not found.passed
    assert "most of all on 'photo 42' by 0.001" in found.problem("model.tflite").message


def test_an_int8_file_may_err_a_little_everywhere_and_much_on_few() -> None:
    right, step = _probabilities(0), 1 / 256
    rounded = np.round(right / step) * step
    assert _parity(right, rounded, "int8", step).passed
    few, many = rounded.copy(), rounded.copy()
    few[:5] = np.roll(few[:5], 1, axis=1)
    many[:8] = np.roll(many[:8], 1, axis=1)
    assert _parity(right, few, "int8", step).far_off <= 5
    assert _parity(right, few, "int8", step).passed == (_parity(right, few, "int8", step).mean_error <= 0.05 + step)
    assert not _parity(right, many, "int8", step).passed


def test_of_few_examples_one_may_be_far_off_in_an_int8_file_and_none_in_a_float_file() -> None:
    right = np.tile(np.float32([[0.9, 0.1]]), (10, 1))
    wrong = right.copy()
    wrong[3] = [0.55, 0.45]
    names = [f"photo {number}" for number in range(10)]
    tensor = TensorFacts("probabilities", (1, 2), "int8", 1 / 256, -128)
    for quantization, passes in (("int8", True), ("float16", False)):
        (one,) = compare_outputs({"probabilities": right}, {"probabilities": wrong}, [tensor], quantization, names)  # type: ignore[arg-type]
        assert one.far_off == 1
        assert one.passed == passes


def test_constant_answers_doubled_answers_and_no_numbers_are_never_right() -> None:
    right = _probabilities(0)
    for quantization in ("none", "float16", "dynamic_range", "int8", "int16x8"):
        for wrong in (np.full_like(right, 0.25), right * 2, np.full_like(right, np.nan), right[:, ::-1]):
            assert not _parity(right, wrong, quantization).passed
        assert _parity(right, right, quantization).passed


def test_a_network_at_chance_is_not_blamed_for_the_steps_of_its_output() -> None:
    right = np.float32(0.1) + np.random.default_rng(0).normal(0, 0.003, (100, 10)).astype(np.float32)
    rounded = np.round(right * 256) / 256
    assert _parity(right, rounded, "int8", 1 / 256).passed


def test_predictions_differ_in_words_and_whole_numbers_not_in_measured_ones() -> None:
    said = {"label": "a", "confidence": 0.9, "confidences": {"a": 0.9, "b": 0.1}}
    assert not differs(said, {"label": "a", "confidence": 0.7, "confidences": {"a": 0.7, "b": 0.3}})
    assert differs(said, {**said, "label": "b"})
    assert differs(said, {**said, "confidences": {"b": 0.9, "a": 0.1}})
    assert differs({"labels": ["a"]}, {"labels": ["a", "b"]})


@pytest.mark.parametrize(("dtype", "zero_point", "shift"), [("int8", -128, -128), ("uint8", 0, 0)])
def test_an_input_tensor_with_the_normalization_takes_pixels(dtype: str, zero_point: int, shift: int) -> None:
    feed = feed_of(TensorFacts("image", (1, 2), dtype, 1 / 255, zero_point), (1 / 255, 0.0))
    assert feed == Feed(1.0, shift)
    assert feed.apply(np.array([0, 1, 254, 255], np.uint8), dtype).tolist() == [
        shift,
        1 + shift,
        254 + shift,
        255 + shift,
    ]


def test_a_normalization_from_minus_one_to_one_is_carried_half_a_step_off_at_most() -> None:
    feed = feed_of(TensorFacts("image", (1, 2), "int8", 1 / 127.5, -1), (1 / 127.5, -1.0))
    assert feed == Feed(1.0, -128.0)


@pytest.mark.parametrize(("scale", "zero_point"), [(1.0, -128), (1 / 255, -112), (1 / 127.5, -128), (1 / 255, -127)])
def test_an_input_tensor_with_another_normalization_is_refused(scale: float, zero_point: int) -> None:
    with pytest.raises(ProblemError, match="'image' does not carry the normalization"):
        feed_of(TensorFacts("image", (1, 2), "int8", scale, zero_point), (1 / 255, 0.0))


def test_stored_values_become_real_ones() -> None:
    tensor = TensorFacts("probabilities", (1, 2), "uint8", 0.5, 10)
    assert dequantize(np.array([[10, 12]], np.uint8), tensor).tolist() == [[0.0, 1.0]]
    assert Feed(2.0, 0.4).apply(np.array([-100, 3, 300]), "int8").tolist() == [-128, 6, 127]


def _pixels(share: float, quantization: str):  # type: ignore[no-untyped-def]
    """Compare masks in which this share of the pixels of every example is the other class."""
    right = np.zeros((len(NAMES), 10, 10, 2), np.float32)
    right[..., 0] = 1
    wrong = right.copy()
    wrong.reshape(len(NAMES), 100, 2)[:, : round(100 * share)] = (0, 1)
    tensor = TensorFacts("masks", (1, 10, 10, 2), "float32", None, None)
    (one,) = compare_outputs({"masks": right}, {"masks": wrong}, [tensor], quantization, NAMES)  # type: ignore[arg-type]
    return one


def test_of_many_places_a_few_may_be_ambiguous_in_every_example() -> None:
    assert _pixels(0.04, "int8").far_off == 0
    assert _pixels(0.06, "int8").far_off == len(NAMES)
    assert _pixels(0.01, "none").far_off == len(NAMES)


@pytest.mark.parametrize(("quantization", "allowed"), [("none", 1), ("int8", 1000)])
def test_of_choices_the_share_of_places_counts_that_are_others(quantization: str, allowed: int) -> None:
    right = np.zeros((10, 100, 200, 1), np.float32)
    names = [f"photo {number}" for number in range(10)]
    tensor = TensorFacts("class_map", (1, 100, 200, 1), "int32")
    for others, passes in ((allowed, True), (2 * allowed + 100, False)):
        found = right.copy()
        found.reshape(10, -1)[:, :others] = 7  # how far apart the numbers are says nothing
        (one,) = compare_outputs({"class_map": right}, {"class_map": found}, [tensor], quantization, names)  # type: ignore[arg-type]
        assert one.mean_error == pytest.approx(others / 20000)
        assert one.passed == passes
    assert "differs at" in one.problem("model.tflite").message
