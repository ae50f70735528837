"""What is said of a picture is drawn where it is, in the colour of its class, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.annotations import Annotations, Box
from cnnpipe.datasets import IGNORED
from cnnpipe.report.annotated_picture import GRAY, annotated_picture, color_of

SIDE = 400
BLACK = (0, 0, 0)


def drawn(annotations, **options):
    return np.asarray(annotated_picture(np.zeros((SIDE, SIDE, 3), np.uint8), annotations, **options))


def test_nothing_to_draw_leaves_the_picture_as_it_is():
    assert not drawn(Annotations()).any()


def test_a_box_is_drawn_at_its_corners_in_the_colour_of_its_label():
    picture = drawn(Annotations([Box((100, 150, 200, 250), 2)]))
    for row, column in ((150, 100), (150, 199), (249, 100), (249, 199)):
        assert tuple(picture[row, column]) == color_of(2)
    assert tuple(picture[200, 150]) == tuple(picture[149, 100]) == tuple(picture[250, 199]) == BLACK


def test_captions_stay_within_the_picture():
    boxes = [Box((0, 0, 30, 30), 0, "at the upper left"), Box((380, 200, 400, 240), 1, "at the right edge")]
    assert drawn(Annotations(boxes)).shape == (SIDE, SIDE, 3)
    assert tuple(drawn(Annotations(boxes))[2, 1]) == color_of(0), "the caption begins in the corner"
    assert (drawn(Annotations(boxes), words=False) != drawn(Annotations(boxes))).any()


def test_a_class_mask_is_half_transparent_and_its_classes_stand_in_the_legend():
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[100:200, 100:200], mask[300:, 300:] = 2, IGNORED
    picture = drawn(Annotations(class_mask=mask, legend=("first", "second")))
    np.testing.assert_allclose(picture[150, 150], np.array(color_of(1)) / 2, atol=1)
    np.testing.assert_allclose(picture[350, 350], np.array(GRAY) / 2, atol=1)
    assert tuple(picture[50, 50]) == BLACK
    below = {tuple(color) for color in picture[SIDE:].reshape(-1, 3).tolist()}
    assert {color_of(1), GRAY} <= below and color_of(0) not in below, "only what is seen is named"


def test_instances_that_touch_differ_in_colour():
    mask = np.zeros((SIDE, SIDE), np.int32)
    mask[100:200, 100:200], mask[100:200, 200:300] = 300, 7
    picture = drawn(Annotations(instance_mask=mask))
    assert tuple(picture[150, 150]) != tuple(picture[150, 250]) != BLACK


@pytest.mark.parametrize(
    ("shape", "size"), [((20, 40), (320, 160)), ((20, 40, 1), (320, 160)), ((700, 30, 3), (30, 700))]
)
def test_small_pictures_are_enlarged_with_what_is_drawn(shape, size):
    mask = np.zeros(shape[:2], np.uint8)
    mask[:, : shape[1] // 2] = 1
    picture = annotated_picture(np.zeros(shape, np.uint8), Annotations(class_mask=mask))
    assert picture.size == size
    covered = np.asarray(picture).any(2)
    assert covered[:, : size[0] // 2].all() and not covered[:, size[0] // 2 + 1 :].any()


def test_a_picture_is_drawn_at_the_size_that_is_asked_for():
    picture = annotated_picture(np.zeros((40, 40, 3), np.uint8), Annotations([Box((10, 10, 20, 20), 0)]), (80, 120))
    assert picture.size == (80, 120)
    assert tuple(np.asarray(picture)[30, 20]) == color_of(0)


def test_neighbouring_numbers_have_colours_of_their_own():
    assert len({color_of(number) for number in range(200)}) == 200
