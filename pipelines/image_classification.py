"""Image classification: which class, or which classes, does an image show?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe import class_list
from cnnpipe.class_list import listed
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.first_network import first_network
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.heads._auxiliary import AuxiliaryHead, expand_auxiliary, for_each_output, loss_weights
from cnnpipe.heads.classification import Classification
from cnnpipe.model import Model
from cnnpipe.registry import Component
from cnnpipe.spec import nearest
from cnnpipe.task import Arrays, Facts, Metric, Places, Prediction, Score, Scores, Signature, Starter, Task

if TYPE_CHECKING:
    import numpy as np

OUTPUT = "probabilities"
THRESHOLD = 0.5
"""From which probability a label of `binary` and `multi_label` counts as given."""
TOP = 5
MANY_CLASSES = 20
"""Up to how many class names `new` writes into a recipe; above, only their number."""


class ImageClassification(Task):
    """Class probabilities for an image.

    Predictions hold `label` (a class name; with `multi_label` the list of all names given), `confidence` (probability
    of that label; with `multi_label` how sure the least sure of all decisions is), `confidences` (name to probability).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"images", "labels"})
    augmented: ClassVar[Mapping[str, str]] = {OUTPUT: "labels"}

    also_called: ClassVar[tuple[str, ...]] = (
        "classification",
        "classify",
        "classifier",
        "image_classifier",
        "cls",
        "recognition",
    )
    type: Literal["image_classification"] = "image_classification"
    classes: Annotated[int, Field(ge=2, le=100_000)] | tuple[str, ...] | None = None
    """Number of classes, or their names in order; when left out the source tells them, and `check` needs the data."""
    label_mode: Literal["single_label", "binary", "multi_label"] = "single_label"
    """One class of many (softmax), yes or no (one sigmoid unit: the second class), or any number of them (sigmoid)."""
    head: Annotated[Classification, Component("heads", default="classification")] = Classification()
    """How features become probabilities."""
    auxiliary_heads: tuple[AuxiliaryHead, ...] = ()
    """Further heads in the middle of the network, which only training has."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of each target that is spread over all classes (Szegedy et al. 2016, section 7)."""
    loss: Literal["crossentropy", "focal"] = "crossentropy"
    """Cross-entropy, or the focal loss, which counts easy examples less (Lin et al. 2017)."""
    gamma: float = Field(default=2.0, ge=0)
    """Exponent of the focal loss: how much less easy examples count; 0 is cross-entropy."""
    alpha: float = Field(default=0.25, gt=0, lt=1)
    """Factor of the focal loss; with `apply_class_balancing` that of given labels, and 1 - alpha that of others."""
    apply_class_balancing: bool = False
    """Whether the focal loss of `binary` and `multi_label` weighs given labels by alpha, and others by 1 - alpha."""
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """How much examples of a class count in the loss: `{cat: 2}`, where a class that is left out has 1; or `balanced`,
    the same total for each class: examples / (classes * examples of the class). With `multi_label` it is the examples
    that have the label that count more or less."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: Any) -> Any:
        if isinstance(classes, tuple) and (len(classes) < 2 or len(set(classes)) < len(classes) or not all(classes)):
            raise ValueError("classes must be at least two different names")
        return classes

    def ignored_keys(self) -> dict[str, str]:
        """The focal loss has keys of its own, some of them for yes-or-no decisions."""
        if self.loss != "focal":
            return dict.fromkeys(("gamma", "alpha", "apply_class_balancing"), f"because loss is {self.loss}")
        if self.label_mode == "single_label":
            return {"apply_class_balancing": "because label_mode is single_label"}
        return {} if self.apply_class_balancing else {"alpha": "because apply_class_balancing is false"}

    # ── the class list ───────────────────────────────────────────────────────────────────────────────────────────

    def known_class_names(self) -> tuple[str, ...] | None:
        """Return the names of the recipe, numbers as text when it tells only how many there are."""
        return class_list.known_names(self.classes)

    def class_names(self, facts: Facts) -> tuple[str, ...]:
        """Return the names in the order of the outputs: the recipe's own, else those that the data has."""
        return class_list.class_names(self.classes, facts.class_names)

    def check(self, facts: Facts) -> Sequence[Problem]:
        """Compare the class list of the recipe with that of the data, and the label mode with both."""
        names = self.class_names(facts)
        problems = list(class_list.class_problems(self.classes, facts.class_names))
        if self.label_mode == "binary" and len(names) != 2:
            message = f"binary needs exactly two classes, the negative one first; there are {len(names)}"
            hint = "Use single_label for one class of several, multi_label for several at once."
            problems.append(Problem(message, path="label_mode", hint=hint))
        if self.label_mode == "single_label" and len(names) < 2:
            problems.append(Problem(f"one class of several needs at least two, there are {len(names)}", path="classes"))
        return [*problems, *self._unknown_weights(names)]

    def _unknown_weights(self, names: Sequence[str]) -> Iterator[Problem]:
        given = self.class_weights if isinstance(self.class_weights, dict) else {}
        for name in (name for name in given if names and name not in names):
            guess, message = nearest(name, list(names)), f"'{name}' is none of the {len(names)} classes"
            hint = f"Did you mean '{guess}'?" if guess else f"They are {listed(names)}."
            yield Problem(message, path=f"class_weights.{name}", hint=hint)

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def networks(self, model: Model, facts: Facts, place_of: Places) -> Mapping[str, Graph]:
        """Return one network: normalization, the model, the head."""
        return {"classifier": self._network(model, facts, place_of)}

    def training_networks(
        self, networks: Mapping[str, Graph], model: Model, facts: Facts, place_of: Places
    ) -> Mapping[str, Graph]:
        """Return the network, with the auxiliary heads if there are any."""
        if not self.auxiliary_heads:
            return networks
        features = networks["classifier"].features  # further blocks must not stand for those of the model
        return {"classifier": replace(self._network(model, facts, place_of, self.auxiliary_heads), features=features)}

    def _network(self, model: Model, facts: Facts, place_of: Places, auxiliary: Sequence[AuxiliaryHead] = ()) -> Graph:
        graph = GraphBuilder(place_of)
        with graph.block(("data", "preprocessing"), "input"):
            image = graph.input("image", facts.preprocessing.input_shape())
            normalized = facts.preprocessing.input_nodes(graph, image)
        features = model.expand(graph, normalized)
        units = 1 if self.label_mode == "binary" else len(self.class_names(facts))
        activation: Literal["softmax", "sigmoid"] = "softmax" if self.label_mode == "single_label" else "sigmoid"
        with graph.block(("task", "head"), "head"):
            outputs = {OUTPUT: self.head.expand(graph, features, units, activation)}
        end = partial(Classification().expand, graph, units=units, activation=activation)
        return graph.build(outputs | expand_auxiliary(graph, auxiliary, model, end))

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, probabilities out."""
        names = self.class_names(facts)
        meaning = {
            "single_label": f"probability of each class, in this order: {', '.join(names)}; they sum to 1",
            "binary": f"probability of {names[-1]}; below {THRESHOLD} it is {names[0]}",
            "multi_label": f"probability of each class by itself, in this order: {', '.join(names)}",
        }[self.label_mode]
        return Signature({"image": "images"}, {OUTPUT: meaning}, "image_classifier")

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return a class index (int32, no axes), `[0.]` or `[1.]` for binary, or zeros and ones for multi_label."""
        import numpy as np

        names, label = self.class_names(facts), example["labels"]
        if self.label_mode == "multi_label":
            given = label if isinstance(label, tuple | list | set | frozenset | np.ndarray) else (label,)
            target = np.zeros(len(names), np.float32)
            target[[_index(one, names) for one in given]] = 1
            return {OUTPUT: target}
        index = _index(label, names)
        return {OUTPUT: np.array([index], np.float32) if self.label_mode == "binary" else np.array(index, np.int32)}

    def soft_labels(self, targets: Mapping[str, Any], facts: Facts) -> Mapping[str, Any]:
        """Return shares of the classes instead of class indices; yes-or-no targets are shares already."""
        import keras

        if self.label_mode != "single_label":
            return targets
        return {**targets, OUTPUT: keras.ops.one_hot(targets[OUTPUT], len(self.class_names(facts)))}

    def decisions(self, facts: Facts) -> Sequence[str]:
        """Return the class weights."""
        weights = self._weights(facts)
        if weights is None:
            return ()
        named = zip(self.class_names(facts), weights, strict=True)
        return [f"Class weights: {', '.join(f'{name} {weight:.4g}' for name, weight in named)}"]

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the same target for each output."""
        return for_each_output(OUTPUT, targets[OUTPUT], self.auxiliary_heads)

    def loss_weights(self, facts: Facts) -> Mapping[str, float]:
        """Return the weights of the auxiliary heads."""
        return loss_weights(OUTPUT, self.auxiliary_heads)

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return cross-entropy or the focal loss."""
        from cnnpipe.losses.weighted_binary_crossentropy import WeightedBinaryCrossentropy
        from cnnpipe.losses.weighted_categorical_crossentropy import WeightedCategoricalCrossentropy

        weights, gamma = self._weights(facts), self.gamma if self.loss == "focal" else None
        if self.label_mode == "single_label":
            loss: Any = WeightedCategoricalCrossentropy(weights, self.label_smoothing, gamma, self.alpha)
        else:
            no, yes = ((weights[0],), (weights[1],)) if weights and self.label_mode == "binary" else (None, weights)
            options = (self.label_smoothing, gamma, self.alpha, self.apply_class_balancing)
            loss = WeightedBinaryCrossentropy(yes, no, *options)
        return for_each_output(OUTPUT, loss, self.auxiliary_heads)

    def _weights(self, facts: Facts) -> tuple[float, ...] | None:
        """Return the weight of each class, or None when all count the same."""
        names, counts = self.class_names(facts), facts.class_counts
        if isinstance(self.class_weights, dict):
            return tuple(self.class_weights.get(name, 1.0) for name in names)
        return tuple(sum(counts) / (len(counts) * count) for count in counts) if self.class_weights else None

    def metrics(self, facts: Facts) -> Mapping[str, list[Any]]:
        """Return accuracy; for binary and multi_label that of the single yes-or-no decisions."""
        import keras

        from cnnpipe.metrics.agreement import class_agreement, decision_agreement

        if self.label_mode == "single_label":
            return {OUTPUT: [keras.metrics.MeanMetricWrapper(class_agreement, name="accuracy")]}
        return {
            OUTPUT: [keras.metrics.MeanMetricWrapper(decision_agreement, name="binary_accuracy", threshold=THRESHOLD)]
        }

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def headline(self) -> Metric:
        """Return accuracy; for multi_label the mean F1 of the examples.

        Exact agreement in all labels stays near 0 while a model of many labels learns, so it cannot choose an epoch; a
        mean over classes has no value per example, so two models could not be compared in pairs.
        """
        return Metric("example_f1") if self.label_mode == "multi_label" else Metric("accuracy", share=True)

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return label, confidence and confidences of each example, as the class says."""
        import numpy as np

        names, probabilities = self.class_names(facts), np.asarray(outputs[OUTPUT], np.float64)
        if self.label_mode == "binary":
            probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
        confidences = [dict(zip(names, row, strict=True)) for row in probabilities.tolist()]
        if self.label_mode == "multi_label":
            sure = np.maximum(probabilities, 1 - probabilities).min(1).tolist()
            labels: list[Any] = [[name for name in names if row[name] >= THRESHOLD] for row in confidences]
        else:  # of two equal probabilities the later class of a binary task, else the first: what 0.5 and argmax say
            best = probabilities[:, 1] >= THRESHOLD if self.label_mode == "binary" else probabilities.argmax(1)
            labels = [names[index] for index in best.astype(int).tolist()]
            sure = [row[label] for row, label in zip(confidences, labels, strict=True)]
        return [
            {"label": label, "confidence": confidence, "confidences": row}
            for label, confidence, row in zip(labels, sure, confidences, strict=True)
        ]

    def example_scores(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> np.ndarray:
        """Return 1 or 0 for right or wrong; with multi_label the F1 of each example."""
        from cnnpipe.metrics import classification

        true, said = self._decisions(truth, predictions, facts)
        multi_label = self.label_mode == "multi_label"
        return classification.example_f1(true, said) if multi_label else (true & said).any(1).astype(float)

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return accuracy, top-5 accuracy with more than five classes, macro F1 and calibration error, with tables."""
        from cnnpipe.metrics import classification
        from cnnpipe.statistics import bootstrap, wilson

        names, n = self.class_names(facts), len(predictions)
        true, said = self._decisions(truth, predictions, facts)
        probabilities, exact = _probabilities(predictions, names), (true == said).all(1)
        agreement = Score(float(exact.mean()), n, wilson(int(exact.sum()), n))
        metrics: dict[str, Score] = {}
        details: dict[str, Any] = {"per_class": dict(zip(names, classification.per_class(true, said), strict=True))}
        if self.label_mode == "multi_label":
            each = classification.example_f1(true, said)
            interval = bootstrap(each[:, None], lambda sums: sums[:, 0] / n)
            metrics |= {"example_f1": Score(float(each.mean()), n, interval), "subset_accuracy": agreement}
            error = classification.calibration(probabilities, true)
        else:
            metrics["accuracy"] = agreement
            if len(names) > TOP:
                hits = classification.top_hits(true.argmax(1), probabilities, TOP)
                metrics[f"top_{TOP}_accuracy"] = Score(hits / n, n, wilson(hits, n))
            matrix = classification.confusion_matrix(true.argmax(1), said.argmax(1), len(names))
            details["confusion_matrix"] = matrix.tolist()
            error = classification.calibration(probabilities.max(1, keepdims=True), exact[:, None])
        f1, interval = classification.macro_f1(true, said)
        metrics |= {"macro_f1": Score(f1, n, interval), "expected_calibration_error": Score(error[0], n, error[1])}
        return Scores(metrics, {**details, "reliability": error[2]})

    def _decisions(
        self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return truth and prediction as (examples, classes) of booleans."""
        import numpy as np

        names, target = self.class_names(facts), truth[OUTPUT]
        position = {name: index for index, name in enumerate(names)}
        if self.label_mode == "multi_label":
            said = np.zeros(target.shape, bool)
            for row, prediction in zip(said, predictions, strict=True):
                row[[position[name] for name in prediction["label"]]] = True
            return target > THRESHOLD, said
        labels = np.array([position[prediction["label"]] for prediction in predictions], int)
        return np.eye(len(names), dtype=bool)[target.reshape(-1).astype(int)], np.eye(len(names), dtype=bool)[labels]

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return the confusion matrix (not for multi_label) and the reliability diagram."""
        from cnnpipe.metrics import classification_figures as draw

        figures: dict[str, Any] = {
            "reliability.png": lambda axes: draw.reliability(axes, scores.details["reliability"])
        }
        if "confusion_matrix" in scores.details:
            names, matrix = self.class_names(facts), scores.details["confusion_matrix"]
            figures["confusion_matrix.png"] = lambda axes: draw.confusion(axes, matrix, names)
        return figures

    # ── a first recipe ───────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a recipe with a network that fits the images found.

        Images are only mirrored when the user says so: left and right may matter (letters, arrows).
        """
        names = tuple(data["class_names"])
        if len(names) < 2:
            hint = "Put the pictures of each class into a folder of its own."
            raise ProblemError(Problem(f"classification needs two classes, and there is only '{names[0]}'", hint=hint))
        network, classes = first_network(data), list(names) if len(names) <= MANY_CLASSES else len(names)
        mirrored = [{"type": "random_flip", "mode": "horizontal"}] if data.get("flip") else []
        recipe = {
            "task": {"type": "image_classification", "classes": classes},
            "data": {
                "source": data["source"],
                "preprocessing": {**network.preprocessing, "color_mode": data["color_mode"]},
                "augmentation": [
                    *mirrored,
                    {"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1},
                    {"type": "random_zoom", "height_factor": 0.1},
                ],
            },
            "model": network.model,
            "training": network.training,
            "export": [
                {"target": "generic", "quantization": "none"},
                {"target": "generic", "quantization": "int8", "max_drop": _share_of_one_example(data["examples"])},
            ],
        }  # fmt: skip
        return Starter(recipe, (network.reason,))


def _share_of_one_example(examples: int) -> float:
    """Return a `max_drop` that one lost example does not exceed, rounded up to hundredths.

    The split is drawn by content, so validation has 15 % of the examples only in the mean; two standard deviations less
    are counted on.
    """
    fewest = max(2, int(examples * 0.15 - 2 * math.sqrt(examples * 0.15 * 0.85)))
    return math.ceil(100 / fewest) / 100


def _index(label: Any, names: Sequence[str]) -> int:
    """Return the index of a class name, or of a class given as a number."""
    if isinstance(label, tuple | list | set | frozenset):
        raise ValueError(
            f"it has a list of labels ({listed(sorted(map(str, label)))}), which needs label_mode multi_label"
        )
    if isinstance(label, str):
        if label in names:
            return names.index(label)
    elif not isinstance(label, bool) and hasattr(label, "__index__") and 0 <= label.__index__() < len(names):
        return int(label)
    raise ValueError(f"the label {label!r} is none of the {len(names)} classes ({listed(names)})")


def _probabilities(predictions: Sequence[Prediction], names: Sequence[str]) -> np.ndarray:
    import numpy as np

    rows = [[one["confidences"][name] for name in names] for one in predictions]
    return np.array(rows, np.float64).reshape(len(predictions), len(names))
