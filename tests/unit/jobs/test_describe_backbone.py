from __future__ import annotations

import pytest

from cnnpipe.jobs.check import check
from cnnpipe.jobs.describe import describe
from cnnpipe.report.description import layer_table

RECIPE = """
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [224, 224]}}
model: {backbone: {type: mobilenet_v2}}
training: {epochs: 3}
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text(RECIPE)
    return file


def test_check_tells_feature_maps_and_the_licence_of_the_weights(recipe):
    features, weights = check(recipe).notes[:2]
    assert features == "features P1 112x112x96, P2 56x56x144, P3 28x28x192, P4 14x14x576, P5 7x7x1280"
    assert weights.startswith("weights mobilenet_v2_weights_") and "1.0_224_no_top.h5, licence Apache-2.0" in weights
    assert not any("weights" in note for note in check(recipe, ["model.backbone.weights=none"]).notes)


@pytest.mark.parametrize(
    ("backbone", "last", "output"), [("densenet", "backbone.P5", "7x7x1024"), ("vgg", "backbone.4", "7x7x512")]
)
def test_describe_has_one_row_per_level_or_block_or_all_layers(recipe, backbone, last, output):
    found = describe(recipe, [f"model.backbone.type={backbone}"])
    few = layer_table(found.layers, found.dense_weights, found.totals).splitlines()
    every = layer_table(found.layers, found.dense_weights, found.totals, every=True).splitlines()
    assert len(few) < 20 and len(every) > len(few) + 15
    (row,) = (line for line in few if line.startswith(last))
    assert " layers" in row and output in row
    assert sum(line.startswith(last) for line in every) > 1


def test_feature_maps_and_weights_are_told_as_json(recipe):
    found = describe(recipe).as_json()
    assert found["features"]["P2"]["output_shape"] == [56, 56, 144]
    assert found["weights"]["url"].startswith("https://")


def test_options_of_the_backbone_are_set_from_the_command_line(recipe):
    small, large = (describe(recipe, [f"model.backbone.alpha={alpha}"]).totals["parameters"] for alpha in (0.35, 1.4))
    assert small < large
