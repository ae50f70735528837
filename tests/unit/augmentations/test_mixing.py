"""Mixed images and labels: equal shares of both, from the stated distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.augmentations.cut_mix import CutMix
from cnnpipe.augmentations.mix_up import MixUp

COUNT = 500


def numbered() -> dict[str, Any]:
    """Return images of one value, which is their number, and one-hot labels."""
    images = np.tile(np.arange(COUNT, dtype=np.float32)[:, None, None, None], (1, 10, 10, 1))
    return {"images": tf.constant(images), "labels": tf.eye(COUNT)}


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 5.0])
def test_mix_up_mixes_images_and_labels_by_one_share(seeds: Any, alpha: float) -> None:
    batch = MixUp(alpha=alpha).apply(numbered(), seeds())
    images, labels = batch["images"].numpy(), batch["labels"].numpy()
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(images[:, 0, 0, 0], labels @ np.arange(COUNT), atol=0.05)
    shares = labels.diagonal()[(labels > 0).sum(1) == 2] if alpha >= 0.2 else labels.diagonal()
    assert shares.mean() == pytest.approx(0.5, abs=0.08)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.03), "not a beta distribution"


def test_cut_mix_mixes_labels_by_the_area_that_it_pasted(seeds: Any) -> None:
    values = numbered()
    batch = CutMix(factor=(1, 1)).apply({**values, "segmentation_masks": values["images"]}, seeds())
    images, labels = batch["images"].numpy(), batch["labels"].numpy()
    own = (images == np.arange(COUNT)[:, None, None, None]).mean((1, 2, 3))
    np.testing.assert_allclose(labels.diagonal(), own, atol=1e-5)
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
    assert own.mean() == pytest.approx(0.5, abs=0.05), "at 1 any area is as likely"
    assert all(len(np.unique(image)) <= 2 for image in images)
    assert np.array_equal(batch["segmentation_masks"], images)


def test_labels_of_one_decision_are_mixed_too(seeds: Any) -> None:
    batch = {**numbered(), "labels": tf.constant(np.arange(COUNT)[:, None] % 2, tf.float32)}
    labels = MixUp(alpha=1).apply(batch, seeds())["labels"].numpy()
    assert labels.shape == (COUNT, 1) and 0 < labels[labels > 0].min() < 0.3
