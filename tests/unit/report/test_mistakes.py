"""The picture of the worst examples: each beside itself with its mistakes drawn over it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from cnnpipe.annotations import Annotations
from cnnpipe.report.annotated_picture import color_of
from cnnpipe.report.mistakes import GAP, LINE, SIDE, Shown, mistakes_sheet
from cnnpipe.task import Mistake


def test_every_example_stands_beside_itself_with_its_mistakes() -> None:
    pixels = np.full((24, 24, 3), 90, np.uint8)
    wrong = np.zeros((24, 24), np.uint8)
    wrong[4:8] = 1
    annotations = Annotations(class_mask=wrong, legend=("wrong",))
    shown = [Shown(pixels, f"photo {number}", Mistake(number, annotations, "mean IoU 0.5")) for number in range(3)]
    with Image.open(io.BytesIO(mistakes_sheet(shown))) as sheet:
        colors = np.asarray(sheet.convert("RGB")).astype(int)
    plain, drawn = colors[GAP + LINE :, GAP : GAP + SIDE], colors[GAP + LINE :, 2 * GAP + SIDE : 2 * (GAP + SIDE)]
    assert (plain[:SIDE] == 90).all()
    half = np.rint((90 + np.array(color_of(0))) / 2)
    assert np.abs(drawn[60, 100] - half).max() <= 1
    assert (drawn[30, 100] == 90).all()
    assert colors.shape[1] == GAP + 2 * (2 * SIDE + 2 * GAP)  # two beside each other, the third below
    assert (colors[-20:, -SIDE:] == 255).all()
