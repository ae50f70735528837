"""Object detection: where in an image are objects of which classes?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe import class_list
from cnnpipe.annotations import Annotations, Box
from cnnpipe.errors import Problem
from cnnpipe.first_network import first_pyramid
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.heads._detection import DetectionHead
from cnnpipe.heads.decoupled import Decoupled
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.registry import Component
from cnnpipe.task import Arrays, Facts, Metric, Places, Prediction, Score, Scores, Signature, Starter, Task

if TYPE_CHECKING:
    import numpy as np

PADDING = -1
"""The label of a row that holds no object."""
SAME_OBJECT = 0.5
"""From which overlap on two boxes of a class are taken for the same object."""


class ObjectDetection(Task):
    """Boxes around objects, each with a class and a score.

    Predictions hold `objects`, the surest first: of each its `label`, its `confidence`, and its `box`: left, top,
    right, bottom in pixels.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"images", "bounding_boxes"})
    augmented: ClassVar[Mapping[str, str]] = {
        "boxes": "bounding_boxes.boxes",
        "labels": "bounding_boxes.labels",
        "crowd": "bounding_boxes.crowd",
    }

    also_called: ClassVar[tuple[str, ...]] = ("detection", "detect", "detector", "object_detector", "boxes", "yolo")
    type: Literal["object_detection"] = "object_detection"
    classes: Annotated[int, Field(ge=1, le=10_000)] | tuple[str, ...] | None = None
    """Number of classes, or their names in order; when left out the source tells them, and `check` needs the data."""
    head: Annotated[DetectionHead, Component("heads", default="decoupled")] = Decoupled()
    """How feature maps become boxes and scores."""
    max_boxes: int = Field(default=100, ge=1, le=10_000)
    """How many objects an example may have; more take more memory while training."""
    score_threshold: float = Field(default=0.05, gt=0, lt=1)
    """Boxes with a lower score are not given. Low, because average precision counts the unsure ones too."""
    drawing_threshold: float = Field(default=0.3, ge=0, lt=1)
    """Boxes with a lower score are not drawn."""
    iou_threshold: float = Field(default=0.6, ge=0, le=1)
    """Of two boxes that overlap more than this (intersection over union) only the surer one is given."""
    suppression: Literal["per_class", "across_classes"] = "per_class"
    """Whether that is so for boxes of the same class, or for any two, as in MediaPipe's ObjectDetector."""
    max_detections: int = Field(default=100, ge=1)
    """How many boxes of an image are given at most, the surest ones."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: Any) -> Any:
        if isinstance(classes, tuple) and (not classes or len(set(classes)) < len(classes) or not all(classes)):
            raise ValueError("classes must be different names, at least one")
        return classes

    # ── the class list ───────────────────────────────────────────────────────────────────────────────────────────

    def known_class_names(self) -> tuple[str, ...] | None:
        """Return the names of the recipe, numbers as text when it tells only how many there are."""
        return class_list.known_names(self.classes)

    def class_names(self, facts: Facts) -> tuple[str, ...]:
        """Return the names in the order of the scores."""
        return class_list.class_names(self.classes, facts.class_names)

    def check(self, facts: Facts) -> Sequence[Problem]:
        """Compare the class list of the recipe with that of the data."""
        return list(class_list.class_problems(self.classes, facts.class_names))

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def networks(self, model: Model, facts: Facts, place_of: Places) -> Mapping[str, Graph]:
        """Return one network: normalization, the model with its neck, the head."""
        return {"detector": self._network(model, facts, place_of)}

    def training_networks(
        self, networks: Mapping[str, Graph], model: Model, facts: Facts, place_of: Places
    ) -> Mapping[str, Graph]:
        """Return the network with one output more, which the loss reads: boxes and logits side by side."""
        return {"detector": self._network(model, facts, place_of, learning=True)}

    def _network(self, model: Model, facts: Facts, place_of: Places, learning: bool = False) -> Graph:
        graph = GraphBuilder(place_of)
        with graph.block(("data", "preprocessing"), "input"):
            image = graph.input("image", facts.preprocessing.input_shape())
            normalized = facts.preprocessing.input_nodes(graph, image)
        maps = model.expand_maps(graph, normalized)
        with graph.block(("task", "head"), "head"):
            outputs = self.head.expand(graph, maps, len(self.class_names(facts)), self._size(facts), learning)
        return graph.build(outputs)

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, what the head says of it out."""
        size = self._size(facts)
        decoding = {
            "input_size": size,
            **self.head.decoding(size),
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "suppression": self.suppression,
            "max_detections": self.max_detections,
        }
        outputs = self.head.meanings(self.class_names(facts))
        return Signature({"image": "images"}, outputs, "object_detector", decoding)

    def _size(self, facts: Facts) -> tuple[int, int]:
        """Return height and width of the input."""
        height, width, _ = facts.preprocessing.input_shape()
        return height, width

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return boxes (max_boxes, 4) as `xyxy`, labels, and which are crowds; rows without object have label -1."""
        import numpy as np

        given = example["bounding_boxes"]
        found, names = len(given["boxes"]), self.class_names(facts)
        if found > self.max_boxes:
            raise ValueError(f"it has {found} boxes, and task.max_boxes is {self.max_boxes}")
        positions = np.array(facts.positions(names), np.int32)
        if found and not 0 <= np.min(given["labels"]) <= np.max(given["labels"]) < len(positions):
            raise ValueError(f"its labels are {sorted(set(given['labels']))}, and there are {len(positions)} classes")
        boxes, labels = np.zeros((self.max_boxes, 4), np.float32), np.full(self.max_boxes, PADDING, np.int32)
        crowd = np.zeros(self.max_boxes, np.int32)
        boxes[:found], labels[:found] = given["boxes"], positions[given["labels"]]
        crowd[:found] = given.get("crowd", 0)
        return {"boxes": boxes, "labels": labels, "crowd": crowd}

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the head's loss reads."""
        return self.head.training_targets(targets)

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return the head's loss."""
        return self.head.losses(len(self.class_names(facts)), self._size(facts))

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def headline(self) -> Metric:
        """Return the mean average precision at IoU 0.5."""
        return Metric("map_50")

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return the objects of each example, without those that repeat a surer one."""
        import numpy as np

        from cnnpipe.boxes.suppression import non_max_suppression

        (height, width), names, predictions = self._size(facts), self.class_names(facts), list[Prediction]()
        for row in range(len(next(iter(outputs.values())))):
            one = {name: values[row] for name, values in outputs.items()}
            found = self.head.candidates(one, (height, width), self.score_threshold)
            groups = found.labels if self.suppression == "per_class" else np.zeros_like(found.labels)
            kept = non_max_suppression(found.boxes, found.scores, groups, self.iou_threshold, self.max_detections)
            seen = np.clip(found.boxes[kept], 0, (width, height, width, height)).tolist()
            rows = zip(found.labels[kept].tolist(), found.scores[kept].tolist(), seen, strict=True)
            predictions.append({"objects": [{"label": names[k], "confidence": s, "box": box} for k, s, box in rows]})
        return predictions

    def alike(self, first: Prediction, second: Prediction) -> bool:
        """Return whether what one draws the other finds too, of the same class and at the same place."""
        from cnnpipe.boxes.overlaps import overlap

        for one, other in ((first["objects"], second["objects"]), (second["objects"], first["objects"])):
            for thing in (thing for thing in one if thing["confidence"] >= self.drawing_threshold):
                boxes = _boxes([known for known in other if known["label"] == thing["label"]])
                if overlap(boxes, _boxes([thing])).max(initial=0) < SAME_OBJECT:
                    return False
        return True

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return mAP@50 and mAP@50:95 by COCO's rules, the average precision of each class, and precision-recall."""
        from cnnpipe.metrics.average_precision import RECALLS, average_precision

        names, n = self.class_names(facts), len(predictions)
        said = [_said(prediction, names) for prediction in predictions]
        found = average_precision(_true(truth), said, len(names))
        metrics = {
            "map_50": Score(found.map50 or 0.0, n, found.interval50),
            "map_50_95": Score(found.map50_95 or 0.0, n, found.interval50_95),
        }
        rows = zip(names, found.objects, found.classes, strict=True)
        per_class = {
            name: {"n": count, "ap_50": values and values[0], "ap_50_95": values and values[1]}
            for name, count, values in rows
        }
        curves = dict(zip(names, found.curves, strict=True))
        return Scores(
            metrics, {"per_class": per_class, "precision_recall": {"recall": RECALLS.tolist(), "precision": curves}}
        )

    def restored(self, prediction: Prediction, placement: Placement) -> Prediction:
        """Return the boxes in pixels of the picture."""
        boxes = placement.restore_boxes(_boxes(prediction["objects"])).tolist()
        objects = [{**thing, "box": box} for thing, box in zip(prediction["objects"], boxes, strict=True)]
        return {**prediction, "objects": objects}

    def annotations(self, prediction: Prediction, facts: Facts) -> Annotations:
        """Return the boxes that are sure enough to be drawn, the surest last."""
        names = self.class_names(facts)
        drawn = [thing for thing in prediction["objects"] if thing["confidence"] >= self.drawing_threshold]
        return Annotations(
            [
                Box(tuple(thing["box"]), names.index(thing["label"]), f"{thing['label']} {thing['confidence']:.2f}")
                for thing in reversed(drawn)
            ]
        )

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return precision and recall of each class."""
        from cnnpipe.metrics.detection_figures import precision_recall

        curves = scores.details["precision_recall"]
        return {"precision_recall.png": partial(precision_recall, recalls=curves["recall"], curves=curves["precision"])}

    # ── a first recipe ───────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a recipe with a detector that fits the images found."""
        network = first_pyramid(data)
        mirrored = [{"type": "random_flip", "mode": "horizontal"}] if data.get("flip") else []
        recipe = {
            "task": {"type": "object_detection", "classes": list(data["class_names"])},
            "data": {
                "source": data["source"],
                "preprocessing": {**network.preprocessing, "color_mode": data["color_mode"]},
                "augmentation": [
                    *mirrored,
                    {"type": "random_zoom", "height_factor": 0.2, "fill_mode": "constant"},
                    {
                        "type": "random_translation",
                        "height_factor": 0.1,
                        "width_factor": 0.1,
                        "fill_mode": "constant",
                    },
                ],
            },
            "model": network.model,
            "training": network.training,
            "export": [
                {"target": "generic", "quantization": "none"},
                {"target": "generic", "quantization": "int8", "max_drop": 0.03},
            ],
        }
        return Starter(recipe, (network.reason,))


def _boxes(objects: Sequence[Mapping[str, Any]]) -> np.ndarray:
    import numpy as np

    return np.array([thing["box"] for thing in objects], np.float32).reshape(-1, 4)


def _said(prediction: Prediction, names: Sequence[str]) -> Any:
    """Return a prediction as the metric takes it."""
    import numpy as np

    from cnnpipe.metrics.average_precision import Objects

    objects = prediction["objects"]
    labels = np.array([names.index(thing["label"]) for thing in objects], int)
    return Objects(_boxes(objects), labels, np.array([thing["confidence"] for thing in objects], float))


def _true(truth: Arrays) -> list[Any]:
    """Return the truth of each example as the metric takes it."""
    from cnnpipe.metrics.average_precision import Objects

    rows = zip(truth["boxes"], truth["labels"], truth["crowd"], strict=True)
    return [
        Objects(boxes[labels != PADDING], labels[labels != PADDING], crowd=crowd[labels != PADDING] > 0)
        for boxes, labels, crowd in rows
    ]
