"""Yes-or-no and several labels at once are learned, from pictures that show them plainly."""

from itertools import compress

import numpy as np
import pytest
from PIL import Image

from cnnpipe.data import load_data
from cnnpipe.evaluation import evaluate, predict_outputs
from cnnpipe.events import Listener
from cnnpipe.recipe.load import load_recipe

RECIPE = """
name: halves
task: {{type: image_classification, classes: [{classes}], label_mode: {mode}}}
data:
  source: {{type: csv, path: table.csv{separator}}}
  preprocessing: {{image_size: [8, 8], color_mode: grayscale}}
model: {{blocks: [flatten, {{type: dense, units: 16}}]}}
training: {{epochs: 15, batch_size: 16, optimizer: {{type: adam, learning_rate: 0.01}}}}
"""


def pictures(folder, label_of):
    random, rows = np.random.default_rng(0), ["image,label"]
    for number in range(160):
        left, right = bool(number % 2), bool(number % 4 > 1)
        pixels = random.integers(0, 90, (8, 8), np.uint8)
        pixels[:, :4] += 150 * np.uint8(left)
        pixels[:, 4:] += 150 * np.uint8(right)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{label_of(left, right)}")
    (folder / "table.csv").write_text("\n".join(rows))


@pytest.mark.parametrize(
    ("mode", "classes", "separator", "label_of"),
    [
        ("binary", "equal, unequal", "", lambda left, right: "unequal" if left != right else "equal"),
        (
            "multi_label",
            "left, right",
            ", label_separator: '|'",
            lambda *has: "|".join(compress(("left", "right"), has)),
        ),
    ],
)
def test_a_label_mode_is_learned(training, tmp_path, mode, classes, separator, label_of):
    pictures(tmp_path, label_of)
    (tmp_path / "halves.yaml").write_text(RECIPE.format(mode=mode, classes=classes, separator=separator))
    small = training()
    small.loaded = load_recipe(tmp_path / "halves.yaml")
    small.data = load_data(small.loaded, Listener())
    small.fit()
    task, facts, test = small.loaded.recipe.task, small.data.facts, small.data.splits["test"]
    found = evaluate(task, predict_outputs(small.model, test.inputs, task.signature(facts)), test, facts)
    assert found.scores.metrics[task.headline().name].value > 0.9
    assert found.example_scores.mean() == pytest.approx(found.scores.metrics[task.headline().name].value)
