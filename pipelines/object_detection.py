"""Object detection: where in an image are objects of which classes?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe import class_list, objects
from cnnpipe.annotations import Annotations
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.first_network import first_pyramid
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.nodes.objects import Columns, NonMaxSuppression
from cnnpipe.heads._detection import DetectionHead
from cnnpipe.heads.decoupled import Decoupled
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.registry import Component
from cnnpipe.task import Arrays, Facts, Metric, Places, Prediction, Scores, Signature, Starter, Task

LISTED = "non_max_suppression"
LIST = {
    "location": (Columns(0, 4), "top, left, bottom, right of each object, as shares of the picture's height and width"),
    "category": (Columns(4), "the number of its class: {names}"),
    "score": (Columns(5), "how sure that is, 0 to 1, the surest first"),
    "count": (Columns(6, one_row=True), "how many objects were found; further rows mean nothing"),
}
"""Outputs of a file that suppresses inside, in the order in which client libraries want them."""


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
    postprocessings: ClassVar[Mapping[str, str]] = {
        LISTED: "a list of the objects found, without those that repeat a surer one"
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
    suppression: objects.Suppression = "per_class"
    """Whether that is so for boxes of the same class, or for any two, as in MediaPipe's ObjectDetector."""
    max_detections: int = Field(default=100, ge=1)
    """How many boxes of an image are given at most, the surest ones."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: Any) -> Any:
        return class_list.distinct(classes)

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
        return {"detector": objects.network(self.head, model, facts, place_of, len(self.class_names(facts)))}

    def training_networks(
        self, networks: Mapping[str, Graph], model: Model, facts: Facts, place_of: Places
    ) -> Mapping[str, Graph]:
        """Return the network with one output more, which the loss reads: boxes and logits side by side."""
        classes = len(self.class_names(facts))
        return {"detector": objects.network(self.head, model, facts, place_of, classes, learning=True)}

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, what the head says of it out."""
        size = objects.size(facts)
        decoding = {
            "input_size": size,
            **self.head.decoding(size),
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "suppression": self.suppression,
            "max_detections": self.max_detections,
        }
        outputs = self.head.meanings(self.class_names(facts))
        return Signature({"image": "images"}, outputs, "object_detector", decoding, self.head.listed)

    def postprocessed(self, graph: Graph, name: str) -> Graph:
        """Return the network with what makes a list of objects of its outputs.

        Raises:
            ProblemError: The head is none of which nodes can tell the boxes.
        """
        if set(graph.outputs) == set(LIST):
            return graph
        builder, outputs = GraphBuilder.behind(graph)
        height, width, _ = graph.nodes[graph.inputs["image"]].shape
        placed = self.head.placed(builder, outputs, (height, width))
        if placed is None:
            raise ProblemError(Problem(f"there is no '{name}' behind the head '{self.head.type}'", path="task.head"))
        limits = self.max_detections, self.iou_threshold, self.score_threshold, self.suppression == "per_class"
        rows = builder.add(NonMaxSuppression((height, width), *limits), *placed)
        return builder.build({output: builder.add(columns, rows) for output, (columns, _) in LIST.items()})

    def postprocessed_signature(self, facts: Facts, name: str) -> Signature:
        """Return one image in, a list of objects out."""
        numbered = ", ".join(f"{number} {name}" for number, name in enumerate(self.class_names(facts)))
        outputs = {output: meaning.format(names=numbered) for output, (_, meaning) in LIST.items()}
        limits = {"score_threshold": self.score_threshold, "max_detections": self.max_detections}
        decoding = {"input_size": objects.size(facts), **limits}
        return Signature({"image": "images"}, outputs, "object_detector", decoding, listed=True)

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return boxes (max_boxes, 4) as `xyxy`, labels, and which are crowds; rows without object have label -1."""
        positions = facts.positions(self.class_names(facts))
        return objects.encoded(example["bounding_boxes"], positions, self.max_boxes)

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the head's loss reads."""
        return self.head.training_targets(targets)

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return the head's loss."""
        return self.head.losses(len(self.class_names(facts)), objects.size(facts))

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def headline(self) -> Metric:
        """Return the mean average precision at IoU 0.5."""
        return Metric("map_50")

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return the objects of each example, without those that repeat a surer one."""
        size, names, predictions = objects.size(facts), self.class_names(facts), list[Prediction]()
        if set(outputs) == set(LIST):
            return [{"objects": found} for found in objects.listed(outputs, names, size)]
        for row in range(len(next(iter(outputs.values())))):
            one = {name: values[row] for name, values in outputs.items()}
            found = self.head.candidates(one, size, self.score_threshold)
            kept = objects.kept(found, self.suppression, self.iou_threshold, self.max_detections)
            predictions.append({"objects": objects.objects(found, kept, names, size)})
        return predictions

    def alike(self, first: Prediction, second: Prediction) -> bool:
        """Return whether what one draws the other finds too, of the same class and at the same place."""
        return objects.alike(first, second, self.drawing_threshold)

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return mAP@50 and mAP@50:95 by COCO's rules, the average precision of each class, and precision-recall."""
        from cnnpipe.metrics.average_precision import average_precision

        names = self.class_names(facts)
        said = [objects.said_objects(prediction, names) for prediction in predictions]
        found = average_precision(objects.true_objects(truth), said, len(names))
        return objects.precision_scores(found, names, len(predictions))

    def restored(self, prediction: Prediction, placement: Placement) -> Prediction:
        """Return the boxes in pixels of the picture."""
        return objects.restored(prediction, placement)

    def annotations(self, prediction: Prediction, facts: Facts) -> Annotations:
        """Return the boxes that are sure enough to be drawn, the surest last."""
        return Annotations(objects.drawn(objects.sure(prediction, self.drawing_threshold), self.class_names(facts)))

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return precision and recall of each class."""
        from cnnpipe.metrics.detection_figures import precision_recall

        curves = scores.details["precision_recall"]
        return {"precision_recall.png": partial(precision_recall, recalls=curves["recall"], curves=curves["precision"])}

    # ── a first recipe ───────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a recipe with a detector that fits the images found."""
        network, most = first_pyramid(data), max(1, data["most_boxes"])
        mirrored = [{"type": "random_flip", "mode": "horizontal"}] if data.get("flip") else []
        recipe = {
            "task": {"type": "object_detection", "classes": list(data["class_names"]), "max_boxes": most},
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
        rows = f"max_boxes is {most}: so many objects are in the picture with most of them, and more rows cost time."
        return Starter(recipe, (network.reason, rows))
