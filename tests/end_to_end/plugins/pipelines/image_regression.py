"""Image regression: which number belongs to an image?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.errors import Path, Place
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.model import Model
from cnnpipe.task import Arrays, Facts, Metric, Prediction, Score, Scores, Signature, Starter, Task

if TYPE_CHECKING:
    import numpy as np

OUTPUT = "value"


class ImageRegression(Task):
    """One number for an image. Predictions hold `value`."""

    needs: ClassVar[frozenset[str]] = frozenset({"images", "labels"})

    type: Literal["image_regression"] = "image_regression"

    def known_class_names(self) -> tuple[str, ...] | None:
        """Return None: labels are numbers."""
        return None

    def networks(self, model: Model, facts: Facts, place_of: Callable[[Path], Place | None]) -> Mapping[str, Graph]:
        """Return one network that ends in one number."""
        graph = GraphBuilder(place_of)
        with graph.block(("data", "preprocessing"), "input"):
            image = graph.input("image", facts.preprocessing.input_shape())
            normalized = facts.preprocessing.input_nodes(graph, image)
        features = model.expand(graph, normalized)
        with graph.block(("task",), "head"):
            if len(features.shape) > 1:
                features = graph.add(GlobalAveragePooling(), features)
            value = graph.add(Dense(1), features)
        return {"regressor": graph.build({OUTPUT: value})}

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, one number out."""
        return Signature({"image": "images"}, {OUTPUT: "the number"}, "image_regressor")

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return the label as float32 of shape (1)."""
        import numpy as np

        return {OUTPUT: np.array([float(example["labels"])], np.float32)}

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return the squared error."""
        import keras

        return {OUTPUT: keras.losses.MeanSquaredError()}

    def headline(self) -> Metric:
        """Return the mean absolute error: lower is better."""
        return Metric("mean_absolute_error", higher_is_better=False)

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return the value of each example."""
        return [{"value": float(row[0])} for row in outputs[OUTPUT]]

    def example_scores(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> np.ndarray:
        """Return the absolute error of each example."""
        import numpy as np

        return np.abs(truth[OUTPUT].reshape(-1) - np.array([prediction["value"] for prediction in predictions]))

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return the mean absolute error with its bootstrap interval."""
        from cnnpipe.statistics import bootstrap

        errors, n = self.example_scores(truth, predictions, facts), len(predictions)
        interval = bootstrap(errors[:, None], lambda sums: sums[:, 0] / n)
        return Scores({"mean_absolute_error": Score(float(errors.mean()), n, interval)})

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a small network for a table of pictures with numbers."""
        recipe = {
            "task": "image_regression",
            "data": {
                "source": {**data["source"], "label_type": "number"},
                "preprocessing": {"image_size": [32, 32], "color_mode": data["color_mode"]},
            },
            "model": {"blocks": [{"type": "conv_relu_pool", "filters": 8}, {"type": "conv_relu_pool", "filters": 16}]},
            "training": {"epochs": 10},
            "export": [{"target": "generic", "quantization": "int8", "max_drop": 0.5}],
        }
        return Starter(recipe)
