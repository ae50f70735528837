"""Labels that say nothing about the pictures are not learned: nothing leaks between splits, nothing flatters."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from cnnpipe.jobs.train import train
from cnnpipe.jobs.trained import open_trained

RECIPE = """
name: table
task: {type: image_classification}
data:
  source: {type: csv, path: table.csv}
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - flatten
    - {type: dense, units: 32}
training: {epochs: 8, optimizer: {type: adam, learning_rate: 5e-3}}
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, digits = tmp_path_factory.mktemp("pictures"), load_digits()
    for number, image in enumerate(digits.images):
        Image.fromarray((image * 15.9).astype(np.uint8)).save(folder / f"{number}.png")
    (folder / "table.yaml").write_text(RECIPE)
    return folder, digits.target


@pytest.mark.parametrize(("shuffled", "low", "high"), [(False, 0.9, 1.0), (True, 0.03, 0.17)])
def test_only_true_labels_are_learned(pictures, shuffled, low, high):
    folder, labels = pictures
    said = np.random.default_rng(0).permutation(labels) if shuffled else labels
    rows = [f"{number}.png,digit {label}" for number, label in enumerate(said)]
    (folder / "table.csv").write_text("\n".join(["image,label", *rows]))
    result = train(folder / "table.yaml", (), folder / "runs")

    trained = open_trained(result.run)
    splits = trained.run.read_json("splits.json")
    test = [number for number in range(len(labels)) if splits[f"{number}.png"] == "test"]
    predictions = trained.predict([folder / f"{number}.png" for number in test])
    right = np.mean([p["label"] == f"digit {said[n]}" for p, n in zip(predictions, test, strict=True)])
    assert low < right < high
    assert result.scores.metrics["accuracy"].value == pytest.approx(right)
    assert result.scores.metrics["accuracy"].n == len(test)
