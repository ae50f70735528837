"""Puts parts of four images together into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cnnpipe.augmentations import Augmentation, Interpolation, Size, Sizes, ordered
from cnnpipe.augmentations._geometry import PADDING, affine, move, still_there
from cnnpipe.augmentations._mixing import partners

Part = Annotated[float, Field(ge=0.5, le=1)]
QUARTERS = ((0, 0), (1, 0), (0, 1), (1, 1))
"""Column and row of each of the four; the first is the image itself."""
PIXELS = ("images", "segmentation_masks", "instance_masks")


class Mosaic(Augmentation):
    """Mosaic (Bochkovskiy et al. 2020, "YOLOv4", section 3.3): four images meet in one point, no place stays empty.

    An image keeps the first rows of its boxes and gets those of three others of the batch behind them, so that there
    are four times as many rows. The borders between the images cut boxes off as the edges of an image do.
    """

    cannot_change: ClassVar[frozenset[str]] = frozenset({"labels"})
    also_called: ClassVar[tuple[str, ...]] = ("mosaic4", "mosaic_augmentation", "yolo_mosaic")
    type: Literal["mosaic"] = "mosaic"
    probability: Size = 1.0
    """Share of the images that become one; the others stay as they are."""
    scale: Annotated[tuple[Part, Part], AfterValidator(ordered)] = (0.5, 1.0)
    """Lower and upper bound of the factor of both sides: 0.5 shows all four whole, 1 a part of each in its own size."""
    offset: Sizes = (0.25, 0.75)
    """Lower and upper bound of where they meet, as a part of width and height; small ones meet nearer to the middle, so
    that no place stays empty."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Draw which become one, sizes, meeting points and partners; then move four batches, and join them."""
        import keras

        images = batch["images"]
        shape, (height, width) = (keras.ops.shape(images)[0],), images.shape[1:3]
        chosen = keras.random.uniform(shape, seed=seed) < self.probability
        scale = keras.ops.where(chosen, keras.random.uniform(shape, *self.scale, seed=seed), 1.0)
        column, row = (
            keras.ops.where(chosen, keras.ops.clip(drawn, 1 - scale, scale), 1.0) * side
            for side in (width, height)
            for drawn in (keras.random.uniform(shape, *self.offset, seed=seed),)
        )
        changed: dict[str, Any] = {}
        for number, (right, below) in enumerate(QUARTERS):
            matrices = affine((1 / scale, 0.0, _start(scale, column, width, right)),
                              (0.0, 1 / scale, _start(scale, row, height, below)))  # fmt: skip
            quarter = _of(batch, partners(images, seed)) if number else batch
            moved = move(quarter, matrices, self.interpolation, "nearest", 0.0)
            spans = _span(column, width, right), _span(row, height, below)
            changed = _joined(changed, moved, spans, number)
        if "instance_masks" in changed:
            changed["instance_masks"] = still_there(changed["instance_masks"], changed)
        return {**batch, **changed}


def _start(scale: Any, meeting: Any, length: int, behind: int) -> Any:
    """Return from where the first pixel of an axis comes in the image before or behind the meeting point."""
    return (0.5 - meeting) / scale - 0.5 + (0 if behind else length)


def _span(meeting: Any, length: int, behind: int) -> tuple[Any, Any]:
    """Return where an image begins and ends on an axis, (batch,) each."""
    return (meeting, 0.0 * meeting + length) if behind else (0.0 * meeting, meeting)


def _of(batch: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """Return what moves of these examples of the batch."""
    import keras

    found = {key: keras.ops.take(batch[key], rows, axis=0) for key in PIXELS if key in batch}
    if "bounding_boxes" in batch:
        boxes = batch["bounding_boxes"].items()
        found["bounding_boxes"] = {key: keras.ops.take(values, rows, axis=0) for key, values in boxes}
    return found


def _joined(joined: dict[str, Any], moved: Mapping[str, Any], spans: tuple[Any, Any], number: int) -> dict[str, Any]:
    """Return what was joined before with one more image in its place."""
    import keras

    moved, changed = dict(moved), dict(joined)
    if "bounding_boxes" in moved:
        boxes = _cut(moved["bounding_boxes"], spans)
        before = joined["bounding_boxes"] if number else {}
        changed["bounding_boxes"] = {
            key: keras.ops.concatenate([before[key], values], axis=1) if number else values
            for key, values in boxes.items()
        }
        if "instance_masks" in moved:
            masks = moved["instance_masks"]
            moved["instance_masks"] = keras.ops.where(masks > 0, masks + number * boxes["labels"].shape[1], masks)
    here = _inside(moved["images"], spans)
    for key in PIXELS:
        if key in moved:
            changed[key] = keras.ops.where(here, moved[key], joined[key]) if number else moved[key]
    return changed


def _inside(images: Any, spans: tuple[Any, Any]) -> Any:
    """Return which pixels lie in the spans of columns and rows, (batch, height, width, 1)."""
    import keras

    (left, right), (top, bottom) = spans
    rows, columns = (keras.ops.arange(length, dtype="float32") + 0.5 for length in images.shape[1:3])
    across = (columns >= left[:, None]) & (columns < right[:, None])
    down = (rows >= top[:, None]) & (rows < bottom[:, None])
    return keras.ops.expand_dims(keras.ops.expand_dims(down, 2) & keras.ops.expand_dims(across, 1), 3)


def _cut(bounding_boxes: Mapping[str, Any], spans: tuple[Any, Any]) -> dict[str, Any]:
    """Return boxes cut off at the spans of columns and rows; those of which less than a pixel is left are padding."""
    import keras

    (left, right), (top, bottom) = spans
    low, high = keras.ops.stack([left, top], axis=1)[:, None], keras.ops.stack([right, bottom], axis=1)[:, None]
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    corners = [keras.ops.clip(boxes[..., part : part + 2], low, high) for part in (0, 2)]
    seen = keras.ops.all(corners[1] - corners[0] >= 1, axis=-1) & (labels != PADDING)
    return {
        **bounding_boxes,
        "boxes": keras.ops.where(keras.ops.expand_dims(seen, -1), keras.ops.concatenate(corners, axis=-1), 0.0),
        "labels": keras.ops.where(seen, labels, keras.ops.full_like(labels, PADDING)),
    }
