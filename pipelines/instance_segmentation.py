"""Instance segmentation: where in an image are objects of which classes, and which pixels does each have?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe import class_list, objects, run_lengths
from cnnpipe.annotations import Annotations
from cnnpipe.errors import Problem
from cnnpipe.first_network import first_pyramid
from cnnpipe.graph import Graph
from cnnpipe.heads._detection import MaskHead
from cnnpipe.heads.prototypes import Prototypes
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.registry import Component
from cnnpipe.task import Arrays, Facts, Metric, Places, Prediction, Score, Scores, Signature, Starter, Task

if TYPE_CHECKING:
    import numpy as np

COUNTED = 100
"""How many objects of an image COCO counts."""
SAME_MASK = 0.5
"""From which overlap on two masks of a class are taken for the same object."""


class InstanceSegmentation(Task):
    """Masks of objects, each with a box, a class and a score.

    Predictions hold `objects`, the surest first: of each its `label`, its `confidence`, its `box` (left, top, right,
    bottom in pixels) and its `mask`, 1 where it is seen, as runs of equal values row by row (`size`, `values`,
    `lengths`). Objects that no pixel shows are none.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"images", "bounding_boxes", "instance_masks"})
    augmented: ClassVar[Mapping[str, str]] = {
        "boxes": "bounding_boxes.boxes",
        "labels": "bounding_boxes.labels",
        "crowd": "bounding_boxes.crowd",
        "instance_masks": "instance_masks",
    }

    also_called: ClassVar[tuple[str, ...]] = ("instance", "instances", "yolact", "mask_rcnn", "masks", "panoptic")
    type: Literal["instance_segmentation"] = "instance_segmentation"
    classes: Annotated[int, Field(ge=1, le=10_000)] | tuple[str, ...] | None = None
    """Number of classes, or their names in order; when left out the source tells them, and `check` needs the data."""
    head: Annotated[MaskHead, Component("heads", default="prototypes")] = Prototypes()
    """How feature maps become boxes, scores and masks."""
    max_boxes: int = Field(default=100, ge=1, le=10_000)
    """How many objects an example may have."""
    score_threshold: float = Field(default=0.05, gt=0, lt=1)
    """Objects with a lower score are not given. Low, because average precision counts the unsure ones too."""
    drawing_threshold: float = Field(default=0.3, ge=0, lt=1)
    """Objects with a lower score are not drawn, and not counted by the score of the Data Science Bowl."""
    iou_threshold: float = Field(default=0.6, ge=0, le=1)
    """Of two boxes that overlap more than this (intersection over union) only the surer one is given."""
    suppression: objects.Suppression = "per_class"
    """Whether that is so for boxes of the same class, or for any two."""
    max_detections: int = Field(default=COUNTED, ge=1)
    """How many objects of an image are given at most, the surest ones, and counted by average precision. COCO counts
    100: where images hold more, the others could never be found."""

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
        return {"segmenter": objects.network(self.head, model, facts, place_of, len(self.class_names(facts)))}

    def training_networks(
        self, networks: Mapping[str, Graph], model: Model, facts: Facts, place_of: Places
    ) -> Mapping[str, Graph]:
        """Return the network with what only the loss reads too."""
        classes = len(self.class_names(facts))
        return {"segmenter": objects.network(self.head, model, facts, place_of, classes, learning=True)}

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, what the head says of it out. No phone library has a client for instances."""
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
        return Signature({"image": "images"}, outputs, "instance_segmenter", decoding, self.head.listed)

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return boxes (max_boxes, 4) as `xyxy`, labels, crowds, and `instance_masks` (height, width, 1) int32.

        Rows without object have label -1; so have those of which no pixel is seen.
        """
        import numpy as np

        masks = np.asarray(example["instance_masks"], np.int32)
        found = len(example["bounding_boxes"]["boxes"])
        if masks.max(initial=0) > found:
            raise ValueError(f"its mask holds the instance {masks.max()}, and it has {found} boxes")
        positions = facts.positions(self.class_names(facts))
        rows = objects.encoded(example["bounding_boxes"], positions, self.max_boxes)
        seen = np.bincount(masks.ravel(), minlength=self.max_boxes + 1)[1:] > 0
        rows["labels"] = np.where(seen, rows["labels"], objects.PADDING).astype(np.int32)
        return {**rows, "instance_masks": masks[..., None]}

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the head's loss reads, with boxes that fit the masks as augmentation left them."""
        from cnnpipe.boxes.instances import fitted

        return self.head.training_targets(fitted(targets["labels"], targets["crowd"], targets["instance_masks"]))

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return the head's loss."""
        return self.head.losses(len(self.class_names(facts)), objects.size(facts))

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def headline(self) -> Metric:
        """Return the mean average precision of masks at IoU 0.5."""
        return Metric("mask_map_50")

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return the objects of each example, without those that repeat a surer one."""
        size, names, predictions = objects.size(facts), self.class_names(facts), list[Prediction]()
        for row in range(len(next(iter(outputs.values())))):
            one = {name: values[row] for name, values in outputs.items()}
            found = self.head.candidates(one, size, self.score_threshold)
            assert found.masks is not None  # noqa: S101
            kept = objects.kept(found, self.suppression, self.iou_threshold, self.max_detections)
            masks = found.masks(kept)
            rows = zip(objects.objects(found, kept, names, size), masks, strict=True)
            given = [{**thing, "mask": run_lengths.encode(mask.astype(int))} for thing, mask in rows if mask.any()]
            predictions.append({"objects": given})
        return predictions

    def alike(self, first: Prediction, second: Prediction) -> bool:
        """Return whether what one draws the other finds too, of the same class and with mostly the same pixels."""
        from cnnpipe.metrics.average_precision import mask_overlaps

        for one, other in ((first, second), (second, first)):
            for label in {thing["label"] for thing in objects.sure(one, self.drawing_threshold)}:
                shown = [thing for thing in objects.sure(one, self.drawing_threshold) if thing["label"] == label]
                known = [thing for thing in other["objects"] if thing["label"] == label]
                if not known:
                    return False
                overlaps = mask_overlaps(_coco_masks(known), _coco_masks(shown))
                if (overlaps.max(axis=0) < SAME_MASK).any():
                    return False
        return True

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return mAP of masks and of boxes by COCO's rules, and the score of the Data Science Bowl."""
        import numpy as np

        from cnnpipe.metrics.average_precision import average_precision, coco_masks
        from cnnpipe.statistics import bootstrap

        names, n = self.class_names(facts), len(predictions)
        true, said = objects.true_objects(truth), [objects.said_objects(guess, names) for guess in predictions]
        boxes = objects.precision_scores(average_precision(true, said, len(names), most=self.max_detections), names, n)
        for row, (one, guess) in enumerate(zip(true, said, strict=True)):
            numbers = np.flatnonzero(truth["labels"][row] != objects.PADDING) + 1
            true[row] = replace(one, masks=coco_masks(truth["instance_masks"][row, ..., 0] == numbers[:, None, None]))
            said[row] = replace(guess, masks=_coco_masks(predictions[row]["objects"]))
        masks = objects.precision_scores(average_precision(true, said, len(names), most=self.max_detections), names, n)
        bowl = np.array([self._bowl(truth, row, guess, names) for row, guess in enumerate(predictions)])
        interval = bootstrap(np.stack([bowl, np.ones(n)], axis=1), lambda sums: sums[:, 0] / sums[:, 1])
        metrics = {f"mask_{name}": score for name, score in masks.metrics.items()}
        metrics |= {f"box_{name}": score for name, score in boxes.metrics.items()}
        metrics["data_science_bowl"] = Score(float(bowl.mean()), n, interval)
        return Scores(metrics, {"max_detections": self.max_detections, **masks.details})

    def _bowl(self, truth: Arrays, row: int, prediction: Prediction, names: Sequence[str]) -> float:
        """Return the score of the Data Science Bowl of one example, of objects that are sure enough to be drawn."""
        import numpy as np

        from cnnpipe.metrics.data_science_bowl import Instances, data_science_bowl

        mask, sure = truth["instance_masks"][row, ..., 0], objects.sure(prediction, self.drawing_threshold)
        labels = np.array([names.index(thing["label"]) for thing in sure], int)
        crowd = truth["crowd"][row] > 0
        return data_science_bowl(
            Instances(mask, truth["labels"][row], crowd), Instances(_disjoint(sure, mask.shape), labels)
        )

    def restored(self, prediction: Prediction, placement: Placement) -> Prediction:
        """Return boxes and masks in pixels of the picture."""
        found = objects.restored(prediction, placement)
        rows = []
        for thing in found["objects"]:
            mask = placement.restore_mask(run_lengths.decode(thing["mask"]), 0)
            rows.append({**thing, "mask": run_lengths.encode(mask)})
        return {**found, "objects": rows}

    def annotations(self, prediction: Prediction, facts: Facts) -> Annotations:
        """Return the masks that are sure enough to be drawn, the surer one above; boxes only tell classes apart."""
        names, sure = self.class_names(facts), objects.sure(prediction, self.drawing_threshold)
        if not sure:
            return Annotations()
        seen = _disjoint(sure, tuple(sure[0]["mask"]["size"]))
        return Annotations(objects.drawn(sure, names) if len(names) > 1 else (), instance_mask=seen)

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return precision and recall of the masks of each class."""
        from cnnpipe.metrics.detection_figures import precision_recall

        curves = scores.details["precision_recall"]
        return {"precision_recall.png": partial(precision_recall, recalls=curves["recall"], curves=curves["precision"])}

    # ── a first recipe ───────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a recipe with a network that fits the images found."""
        network, most = first_pyramid(data), max(1, data["most_boxes"])
        mirrored = [{"type": "random_flip", "mode": "horizontal"}] if data.get("flip") else []
        zoom = {"type": "random_zoom", "height_factor": 0.2, "fill_mode": "constant"}
        recipe = {
            "task": {
                "type": "instance_segmentation",
                "classes": list(data["class_names"]),
                "max_boxes": most,
                "max_detections": max(COUNTED, most),
            },
            "data": {
                "source": data["source"],
                "preprocessing": {**network.preprocessing, "color_mode": data["color_mode"]},
                "augmentation": [*mirrored, zoom],
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


def _masks(things: Sequence[Mapping[str, Any]], size: tuple[int, ...]) -> np.ndarray:
    """Return the masks of predicted objects, bool (n, height, width)."""
    import numpy as np

    return np.array([run_lengths.decode(thing["mask"]) > 0 for thing in things], bool).reshape(-1, *size)


def _coco_masks(things: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the masks of predicted objects as pycocotools writes them."""
    from cnnpipe.metrics.average_precision import coco_masks

    return coco_masks(_masks(things, tuple(things[0]["mask"]["size"]))) if things else []


def _disjoint(things: Sequence[Mapping[str, Any]], size: tuple[int, ...]) -> np.ndarray:
    """Return the masks of predicted objects as one, the surer one above: k where object k - 1 is seen."""
    from cnnpipe.metrics.data_science_bowl import disjoint

    return disjoint(_masks(things, size))
