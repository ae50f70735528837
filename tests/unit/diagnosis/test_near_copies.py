"""Near copies: found however they were stored again, and all of them; other pictures are not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from cnnpipe.diagnosis._near import SAME, near_pairs
from cnnpipe.diagnosis.near_copies import joined
from cnnpipe.examination.pictures import THUMBNAIL, look_at


def scene(seed: int, detail: int = 12) -> Image.Image:
    """Return a picture with as much detail as a photo."""
    small = np.random.default_rng(seed).integers(0, 256, (detail, detail, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


def stored(picture: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


AGAIN: dict[str, Callable[[Image.Image], bytes]] = {
    "compressed": lambda picture: stored(picture, quality=30),
    "another format": lambda picture: stored(picture, "PNG"),
    "half size": lambda picture: stored(picture.resize((80, 60)), quality=85),
    "another shape": lambda picture: stored(picture.resize((100, 100)), quality=85),
    "less contrast": lambda picture: stored(picture.point(lambda value: 40 + value // 2), quality=90),
}


@pytest.mark.parametrize("change", AGAIN.values(), ids=AGAIN.keys())
def test_a_picture_stored_again_is_near(change: Callable[[Image.Image], bytes]) -> None:
    contents = [stored(scene(seed), quality=90) for seed in range(20)] + [change(scene(7))]
    pairs, closeness = near_pairs([look_at(content).thumbnail for content in contents])
    assert pairs.tolist() == [[7, 20]]
    assert closeness[0] >= SAME


def test_pairs_are_those_of_a_plain_comparison() -> None:
    random = np.random.default_rng(0)
    base = random.integers(0, 256, (40, *THUMBNAIL)).astype(float)
    noisy = np.clip(base[random.integers(0, 40, 400)] + random.normal(0, random.uniform(0, 12, (400, 1, 1, 1))), 0, 255)
    pixels = np.concatenate([base, noisy + random.normal(0, 4, noisy.shape)]).clip(0, 255).astype(np.uint8)
    pairs, _ = near_pairs([picture.tobytes() for picture in pixels])
    plain = np.argwhere(np.triu(np.corrcoef(pixels.reshape(len(pixels), -1)), 1) >= SAME)
    assert len(plain) > 100
    assert pairs.tolist() == plain.tolist()


def test_pictures_that_show_nothing_are_not_compared() -> None:
    flat = [bytes([level]) * int(np.prod(THUMBNAIL)) for level in (0, 90, 91, 255)]
    assert near_pairs(flat)[0].tolist() == []
    assert near_pairs([])[0].tolist() == []


def test_the_colour_of_a_thing_makes_another_picture() -> None:
    def thing(colour: str) -> bytes:
        picture = Image.new("RGB", (96, 96), "white")
        picture.paste(colour, (20, 30, 70, 80))
        return look_at(stored(picture)).thumbnail

    assert near_pairs([thing("#aa2020"), thing("#2020aa"), thing("#aa2222")])[0].tolist() == [[0, 2]]


def test_pairs_that_share_a_member_are_one_group() -> None:
    assert joined([(0, 4), (1, 2), (4, 7), (2, 9), (3, 5)]) == [[0, 4, 7], [1, 2, 9], [3, 5]]
