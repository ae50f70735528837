"""Average precision of detections by COCO's rules (Lin et al. 2014): mAP@50, mAP@50:95, curves, and their intervals."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnpipe.statistics import Interval

MOST = 100
"""How many detections of an image and a class COCO counts, the best ones."""
IOUS = np.linspace(0.5, 0.95, 10)
"""From which overlap on a detection is right."""
RECALLS = np.linspace(0, 1, 101)
"""Where the precision is read."""
RESAMPLES = 200
"""Of the images, for the interval: for each, matches are ranked anew, so these are fewer than for other metrics."""


@dataclass(frozen=True)
class Objects:
    """What is in one image, or what is said to be.

    Args:
        boxes: `(n, 4)` as `xyxy` in pixels.
        labels: `(n,)`, the class of each.
        scores: `(n,)`, how sure; None of the truth.
        crowd: `(n,)` bool, whether a box stands for a crowd, whose finding counts neither as right nor as wrong; None
            when no box does.
        masks: For each object its run-length encoded mask as pycocotools writes it, by which overlaps are then
            measured; None to measure them by boxes.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    crowd: np.ndarray | None = None
    masks: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Precision:
    """Average precision of classes.

    Args:
        map50: Mean over the classes at IoU 0.5; None when no class was ever seen.
        map50_95: Mean over the classes and IoU 0.5 to 0.95.
        interval50: 95 % interval of `map50`, by the bootstrap over images; None for fewer than two images.
        interval50_95: The same of `map50_95`.
        classes: AP at 0.5 and over all overlaps of each class; None for those never seen.
        curves: Precision at each of `RECALLS` of each class at IoU 0.5; None for those never seen.
        objects: How many objects of each class there are, crowds not counted.
    """

    map50: float | None
    map50_95: float | None
    interval50: Interval | None
    interval50_95: Interval | None
    classes: Sequence[tuple[float, float] | None]
    curves: Sequence[Sequence[float] | None]
    objects: Sequence[int]


def average_precision(
    truth: Sequence[Objects], found: Sequence[Objects], classes: int, seed: int = 0, most: int = MOST
) -> Precision:
    """Measure detections.

    Args:
        truth: What is in each image.
        found: What was said of each image.
        classes: How many classes there are.
        seed: Of the bootstrap.
        most: How many detections of an image and a class are counted, the best ones.
    """
    evaluated = _evaluated(truth, found, classes, most)
    matches = [_Matches.of([evaluated[image][label] for image in range(len(truth))]) for label in range(classes)]
    weights = np.ones(len(truth))
    tables = [one.precisions(weights) for one in matches]
    seen = [table for table in tables if table is not None]
    intervals = _intervals(matches, len(truth), seed) if seen else (None, None)
    return Precision(
        map50=float(np.mean([table[0].mean() for table in seen])) if seen else None,
        map50_95=float(np.mean([table.mean() for table in seen])) if seen else None,
        interval50=intervals[0],
        interval50_95=intervals[1],
        classes=[None if table is None else (float(table[0].mean()), float(table.mean())) for table in tables],
        curves=[None if table is None else table[0].round(6).tolist() for table in tables],
        objects=[int(one.objects.sum()) for one in matches],
    )


def coco_masks(masks: np.ndarray) -> list[Mapping[str, Any]]:
    """Return masks, bool `(n, height, width)`, run-length encoded as pycocotools writes them."""
    from pycocotools.mask import encode

    found: list[Mapping[str, Any]] = encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    return found


def mask_overlaps(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the intersection over union of every mask with every other, `(n, m)`, both as `coco_masks` gives them."""
    from pycocotools.mask import iou

    found: np.ndarray = np.reshape(iou(list(first), list(second), [0] * len(second)), (len(first), len(second)))
    return found


def _evaluated(truth: Sequence[Objects], found: Sequence[Objects], classes: int, most: int) -> list[list[Any]]:
    """Return what pycocotools matched in each image for each class; None where there is neither truth nor finding."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    kind = "segm" if any(one.masks is not None for one in (*truth, *found)) else "bbox"
    known, said = COCO(), COCO()
    for dataset, images in ((known, truth), (said, found)):
        dataset.dataset = {
            "images": [{"id": number, **_size(one)} for number, one in enumerate(images)],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": _annotations(images),
        }
        with contextlib.redirect_stdout(io.StringIO()):
            dataset.createIndex()
    measured = COCOeval(known, said, kind)
    measured.params.imgIds, measured.params.catIds = list(range(len(truth))), list(range(classes))
    measured.params.areaRng, measured.params.areaRngLbl = [[0, 1e10]], ["all"]
    measured.params.maxDets = [most]
    with contextlib.redirect_stdout(io.StringIO()):
        measured.evaluate()
    return [[measured.evalImgs[label * len(truth) + image] for label in range(classes)] for image in range(len(truth))]


def _size(one: Objects) -> dict[str, int]:
    """Return height and width of an image where its masks tell them; nothing else asks for them."""
    return dict(zip(("height", "width"), one.masks[0]["size"], strict=True)) if one.masks else {}


def _annotations(images: Sequence[Objects]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(images):
        boxes = np.asarray(one.boxes, float).reshape(-1, 4)
        for row, (left, top, right, bottom) in enumerate(boxes.tolist()):
            area = (right - left) * (bottom - top)
            annotation = {
                "id": len(rows) + 1, "image_id": number, "category_id": int(one.labels[row]), "area": area,
                "bbox": [left, top, right - left, bottom - top],
                "iscrowd": int(one.crowd is not None and one.crowd[row]),
            }  # fmt: skip
            if one.scores is not None:
                annotation["score"] = float(one.scores[row])
            if one.masks is not None:
                annotation["segmentation"] = one.masks[row]
            rows.append(annotation)
    return rows


@dataclass(frozen=True)
class _Matches:
    """All detections of a class, the best first.

    Args:
        images: `(n,)`, the image of each.
        right: `(overlaps, n)`, 1 where it found an object.
        counted: `(overlaps, n)`, 0 where it found what counts neither way.
        objects: `(images,)`, how many objects of the class each image has.
    """

    images: np.ndarray
    right: np.ndarray
    counted: np.ndarray
    objects: np.ndarray

    @classmethod
    def of(cls, evaluated: Sequence[Any]) -> _Matches:
        """Collect what pycocotools matched, in its order: by score, of equal ones the earlier image first."""
        objects = np.array([0 if one is None else int((one["gtIgnore"] == 0).sum()) for one in evaluated])
        there = [(image, one) for image, one in enumerate(evaluated) if one is not None]
        if not there:
            empty = np.zeros((len(IOUS), 0))
            return cls(np.zeros(0, int), empty, empty, objects)
        scores = np.concatenate([one["dtScores"] for _, one in there])
        order = np.argsort(-scores, kind="mergesort")
        images = np.repeat([image for image, _ in there], [len(one["dtScores"]) for _, one in there])[order]
        matched = np.concatenate([one["dtMatches"] for _, one in there], axis=1)[:, order] > 0
        ignored = np.concatenate([one["dtIgnore"] for _, one in there], axis=1)[:, order] > 0
        return cls(images.astype(int), (matched & ~ignored).astype(float), (~ignored).astype(float), objects)

    def precisions(self, weights: np.ndarray) -> np.ndarray | None:
        """Return the precision at each of `IOUS` and `RECALLS` where each image counts so often; None: no objects."""
        total = float(self.objects @ weights)
        if not total:
            return None
        times = weights[self.images]
        right, counted = np.cumsum(self.right * times, axis=1), np.cumsum(self.counted * times, axis=1)
        recall, precision = right / total, right / np.maximum(counted, np.spacing(1))
        table = np.zeros((len(IOUS), len(RECALLS)))
        for row in range(len(IOUS)):
            best = np.maximum.accumulate(precision[row][::-1])[::-1]
            at = np.searchsorted(recall[row], RECALLS, side="left")
            table[row, at < len(best)] = best[at[at < len(best)]]
        return table


def _intervals(matches: Sequence[_Matches], images: int, seed: int) -> tuple[Interval | None, Interval | None]:
    """Return the percentile intervals of both means over images drawn anew; matches within an image stay as they are.

    A class that no drawn image shows has no part in the mean of that draw.
    """
    if images < 2:
        return None, None
    random = np.random.default_rng(seed)
    values = []
    for _ in range(RESAMPLES):
        weights = np.bincount(random.integers(0, images, images), minlength=images).astype(float)
        tables = [table for one in matches if (table := one.precisions(weights)) is not None]
        if tables:
            values.append((np.mean([t[0].mean() for t in tables]), np.mean([t.mean() for t in tables])))
    if not values:
        return None, None
    low, high = np.quantile(values, (0.025, 0.975), axis=0)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))
