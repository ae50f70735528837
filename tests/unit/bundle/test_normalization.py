from __future__ import annotations

from types import SimpleNamespace

import pytest

from cnnpipe.bundle.normalization import carried_normalization, stated_normalization
from cnnpipe.graph import GraphBuilder
from cnnpipe.preprocessing.image import IDENTITY, Image, Normalization

THREE = ((0.01, 0.02, 0.03), (-1.0, -2.0, -3.0))


@pytest.mark.parametrize(
    ("pixels", "stated", "carried"),
    [
        ((1 / 127.5, -1.0), (1 / 127.5, -1.0), (1 / 127.5, -1.0)),
        (THREE, THREE, None),
        ((1.0, THREE[1]), (1.0, THREE[1]), None),
        (IDENTITY, None, None),
    ],
)
def test_one_number_is_carried_by_an_int8_input_and_three_stay_in_the_file(pixels, stated, carried):
    image = Image(image_size=(8, 8), normalization=Normalization(scale=pixels[0], offset=pixels[1]))
    builder = GraphBuilder()
    graph = builder.build({"output": image.input_nodes(builder, builder.input("images", (8, 8, 3)))})
    assert stated_normalization(image) == stated
    assert carried_normalization(SimpleNamespace(input_type="int8"), graph) == carried
