"""Semantic segmentation: which class does each pixel of an image show?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe import class_list, run_lengths
from cnnpipe.annotations import Annotations
from cnnpipe.datasets import IGNORED
from cnnpipe.errors import Problem
from cnnpipe.first_network import first_maps
from cnnpipe.graph import Graph, GraphBuilder, Tensor
from cnnpipe.graph.nodes.arg_max import ArgMax
from cnnpipe.heads.segmentation import Segmentation
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.registry import Component
from cnnpipe.spec import nearest
from cnnpipe.task import Arrays, Facts, Metric, Mistake, Places, Prediction, Score, Scores, Signature, Starter, Task

if TYPE_CHECKING:
    import numpy as np

OUTPUT, CLASS_MAP = "probabilities", "class_map"
BACKGROUND = "background"
ALIKE = 0.02
"""Share of the pixels that may differ between two masks that still say the same."""
WORST, NEAR = 6, 3
"""Examples that are shown with their mistakes, and the pixels from a border up to which these count as near."""


class SemanticSegmentation(Task):
    """Class probabilities for every pixel of an image.

    Predictions hold `label`, the names of all classes that some pixel shows; `shares`, the part of the pixels that each
    class has, by name; and `mask`, a class map as runs of equal values row by row (`size`, `values`, `lengths`), where
    0 is the background and 1 and more are the classes.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"images", "segmentation_masks"})
    augmented: ClassVar[Mapping[str, str]] = {OUTPUT: "segmentation_masks"}
    postprocessings: ClassVar[Mapping[str, str]] = {CLASS_MAP: "the number of the likeliest class at each pixel, int32"}

    also_called: ClassVar[tuple[str, ...]] = (
        "segmentation",
        "segment",
        "seg",
        "semantic",
        "image_segmentation",
        "unet",
    )
    type: Literal["semantic_segmentation"] = "semantic_segmentation"
    classes: Annotated[int, Field(ge=1, le=254)] | tuple[str, ...] | None = None
    """Number of classes, or their names in order, without the background; when left out the source tells them."""
    background: bool = True
    """Whether pixels may show none of the classes; then the background is a class more, and the first output."""
    head: Annotated[Segmentation, Component("heads", default="segmentation")] = Segmentation()
    """How features become probabilities."""
    loss: Literal["crossentropy", "dice", "crossentropy_and_dice"] = "crossentropy"
    """Cross-entropy of the pixels; the Dice loss, for which classes of few pixels count as much as others; or both."""
    gamma: float = Field(default=0.0, ge=0)
    """Exponent of the focal loss: how much less easy pixels count; 0 is cross-entropy."""
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """How much pixels of a class count in cross-entropy: `{background: 0.5}`, where a class that is left out has 1; or
    `balanced`, the same total for each class: pixels / (classes * pixels of the class), by the training data."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: Any) -> Any:
        return class_list.distinct(classes)

    def ignored_keys(self) -> dict[str, str]:
        """The Dice loss alone has no use for what cross-entropy weighs."""
        return dict.fromkeys(("gamma", "class_weights"), "because loss is dice") if self.loss == "dice" else {}

    # ── the class list ───────────────────────────────────────────────────────────────────────────────────────────

    def known_class_names(self) -> tuple[str, ...] | None:
        """Return the names of the recipe, numbers as text when it tells only how many there are."""
        return class_list.known_names(self.classes)

    def class_names(self, facts: Facts) -> tuple[str, ...]:
        """Return the names without the background."""
        return class_list.class_names(self.classes, facts.class_names)

    def output_names(self, facts: Facts) -> tuple[str, ...]:
        """Return the names in the order of the outputs, the background first if there is one."""
        return (BACKGROUND,) * self.background + self.class_names(facts)

    def check(self, facts: Facts) -> Sequence[Problem]:
        """Compare the class list of the recipe with that of the data."""
        names = self.output_names(facts)
        problems = list(class_list.class_problems(self.classes, facts.class_names))
        if BACKGROUND in self.class_names(facts) and self.background:
            hint = "Take it off the list, or set background: false."
            problems.append(Problem("the background is a class by itself already", path="classes", hint=hint))
        if len(names) == 1:
            hint = "Leave 'background' at true: pixels either show it or not."
            problems.append(Problem("one class alone leaves nothing to decide", path="background", hint=hint))
        return [*problems, *self._wrong_weights(names, facts.class_counts)]

    def _wrong_weights(self, names: Sequence[str], counts: Sequence[int]) -> Iterator[Problem]:
        given = self.class_weights if isinstance(self.class_weights, dict) else {}
        for name in (name for name in given if names and name not in names):
            guess = nearest(name, list(names))
            hint = f"Did you mean '{guess}'?" if guess else f"They are {class_list.listed(names)}."
            yield Problem(f"'{name}' is none of the {len(names)} classes", None, f"class_weights.{name}", hint)
        if self.class_weights == "balanced" and counts and not all(counts):
            missing = class_list.listed([name for name, count in zip(names, counts, strict=True) if not count])
            message = f"no pixel of the training data shows {missing}, so that nothing balances"
            yield Problem(message, None, "class_weights", "Take such classes off the list, or give the weights.")

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def networks(self, model: Model, facts: Facts, place_of: Places) -> Mapping[str, Graph]:
        """Return one network: normalization, the model with its neck, the head."""
        graph = GraphBuilder(place_of)
        with graph.block(("data", "preprocessing"), "input"):
            image = graph.input("image", facts.preprocessing.input_shape())
            normalized = facts.preprocessing.input_nodes(graph, image)
        features = model.expand(graph, normalized)
        height, width = image.shape[:2]
        with graph.block(("task", "head"), "head"):
            outputs = {OUTPUT: self.head.expand(graph, features, len(self.output_names(facts)), (height, width))}
        return {"segmenter": graph.build(outputs)}

    def signature(self, facts: Facts) -> Signature:
        """Return one image in, probabilities of each pixel out."""
        names = ", ".join(self.output_names(facts))
        meaning = f"probability of each class at each pixel, in this order: {names}; they sum to 1"
        return Signature({"image": "images"}, {OUTPUT: meaning}, "image_segmenter")

    def postprocessed(self, graph: Graph, name: str) -> Graph:
        """Return the network with the number of the likeliest class; it needs no softmax, which changes no order."""
        if name in graph.outputs:
            return graph
        builder, _ = GraphBuilder.behind(graph)
        (before,) = graph.nodes[graph.outputs[OUTPUT]].inputs
        return builder.build({name: builder.add(ArgMax(), Tensor(before, graph.nodes[before].shape))})

    def postprocessed_signature(self, facts: Facts, name: str) -> Signature:
        """Return one image in, the number of a class at each pixel out."""
        names = self.output_names(facts)
        numbered = ", ".join(f"{number} {name}" for number, name in enumerate(names))
        meaning = f"number of the likeliest class at each pixel: {numbered}"
        return Signature({"image": "images"}, {name: meaning}, "image_segmenter", {"classes": list(names)})

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Return the output's number at each pixel, uint8 (height, width, 1); 255 where nobody knows."""
        import numpy as np

        mask = example["segmentation_masks"]
        outputs = np.full(256, IGNORED, np.uint8)
        positions = np.array(facts.positions(self.class_names(facts))) + int(self.background)
        outputs[1 : len(positions) + 1] = positions
        if self.background:
            outputs[0] = 0
        elif (mask == 0).any():
            raise ValueError(f"{int((mask == 0).sum())} pixels show none of the classes, and background is false")
        highest = int(mask[mask != IGNORED].max(initial=0))
        if highest > len(positions):
            raise ValueError(f"its mask holds the number {highest}, and there are {len(positions)} classes")
        return {OUTPUT: outputs[mask][..., None]}

    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return cross-entropy, the Dice loss, or both."""
        from cnnpipe.losses.segmentation_loss import SegmentationLoss

        crossentropy, dice = float(self.loss != "dice"), float(self.loss != "crossentropy")
        return {OUTPUT: SegmentationLoss(crossentropy, dice, self.gamma, self._weights(facts))}

    def class_counts(self, targets: Arrays, facts: Facts) -> tuple[int, ...]:
        """Return the pixels of each output's class; what nobody knows does not count."""
        import numpy as np

        size = len(self.output_names(facts))
        counts = sum(np.bincount(mask.ravel(), minlength=256)[:size] for mask in targets[OUTPUT])
        return tuple(np.asarray(counts).tolist())

    def decisions(self, facts: Facts) -> Sequence[str]:
        """Return the class weights, with the shares of the pixels that they come from."""
        weights, names, counts = self._weights(facts), self.output_names(facts), facts.class_counts
        if weights is None or not counts:
            return ()
        named = (
            f"{name} {weight:.4g} ({count / max(sum(counts), 1):.2%} of the pixels)"
            for name, weight, count in zip(names, weights, counts, strict=True)
        )
        return [f"Class weights: {', '.join(named)}"]

    def _weights(self, facts: Facts) -> tuple[float, ...] | None:
        """Return the weight of each output's class, or None when all pixels count the same."""
        names, counts = self.output_names(facts), facts.class_counts
        if isinstance(self.class_weights, dict):
            return tuple(self.class_weights.get(name, 1.0) for name in names) if self.class_weights else None
        return tuple(sum(counts) / (len(counts) * count) for count in counts) if self.class_weights else None

    def metrics(self, facts: Facts) -> Mapping[str, list[Any]]:
        """Return the mean IoU."""
        import keras

        classes = len(self.output_names(facts))
        return {OUTPUT: [keras.metrics.MeanIoU(classes, name="mean_iou", ignore_class=IGNORED, sparse_y_pred=False)]}

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def headline(self) -> Metric:
        """Return the mean over classes of intersection over union, each of all pixels of the split together."""
        return Metric("mean_iou")

    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Return mask and shares of each example, as the class says."""
        import numpy as np

        names = self.output_names(facts)
        first = int(not self.background)
        predictions: list[Prediction] = []
        for values in outputs[CLASS_MAP] if CLASS_MAP in outputs else outputs[OUTPUT]:
            mask = np.rint(values[..., 0]).astype(int) if CLASS_MAP in outputs else np.argmax(values, axis=-1)
            shares = np.bincount(mask.ravel(), minlength=len(names)) / mask.size
            seen = [name for name, share in zip(names, shares, strict=True) if share and name != BACKGROUND]
            runs = run_lengths.encode(mask + first)
            predictions.append({"label": seen, "shares": dict(zip(names, shares.tolist(), strict=True)), "mask": runs})
        return predictions

    def alike(self, first: Prediction, second: Prediction) -> bool:
        """Return whether two masks agree but for a few pixels, which lie between two classes."""
        one, other = (run_lengths.decode(prediction["mask"]) for prediction in (first, second))
        return one.shape == other.shape and float((one != other).mean()) <= ALIKE

    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Return mean IoU and pixel accuracy, with the IoU of each class and errors by distance from a boundary."""
        from cnnpipe.metrics import segmentation
        from cnnpipe.statistics import bootstrap

        names, n = self.output_names(facts), len(predictions)
        size = len(names)
        true, said = list(truth[OUTPUT][..., 0]), [self._mask(prediction) for prediction in predictions]
        each = segmentation.confusions(true, said, size, IGNORED)
        total = each.sum(0)
        columns = each.reshape(n, -1).astype(float)
        metrics: dict[str, Score] = {}
        statistics: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "mean_iou": segmentation.mean_iou,
            "pixel_accuracy": _accuracy,
        }
        for name, statistic in statistics.items():
            interval = bootstrap(columns, lambda sums, f=statistic: f(sums.reshape(-1, size, size)))  # type: ignore[misc]
            metrics[name] = Score(float(statistic(total)), n, interval)
        iou = segmentation.intersection_over_union(total).tolist()
        per_class = {
            name: {"iou": None if value != value else value, "interval": _interval(each, number)}
            for number, (name, value) in enumerate(zip(names, iou, strict=True))
        }
        details = {
            "per_class": per_class,
            "confusion_matrix": total.tolist(),
            "errors_by_distance": segmentation.errors_by_distance(true, said, IGNORED),
        }
        return Scores(metrics, details)

    def mistakes(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Sequence[Mistake]:
        """Return the examples with the lowest mean IoU, wrong pixels near a true border apart from those far away."""
        import numpy as np

        from cnnpipe.metrics import segmentation

        true, said = list(truth[OUTPUT][..., 0]), [self._mask(prediction) for prediction in predictions]
        scores = segmentation.mean_iou(segmentation.confusions(true, said, len(self.output_names(facts)), IGNORED))
        legend = (f"wrong, up to {NEAR} pixels from a border", "wrong, further away")
        found = []
        for row in np.argsort(scores, kind="stable")[:WORST].tolist():
            wrong = segmentation.errors_near_and_far(true[row], said[row], NEAR, IGNORED)
            found.append(Mistake(row, Annotations(class_mask=wrong, legend=legend), f"mean IoU {scores[row]:.3f}"))
        return found

    def _mask(self, prediction: Prediction) -> np.ndarray:
        """Return the output's number at each pixel."""
        return run_lengths.decode(prediction["mask"]) - int(not self.background)

    def restored(self, prediction: Prediction, placement: Placement) -> Prediction:
        """Return the mask in the size of the picture; what was not seen is background, or the first class."""
        mask = placement.restore_mask(run_lengths.decode(prediction["mask"]), int(not self.background))
        return {**prediction, "mask": run_lengths.encode(mask)}

    def annotations(self, prediction: Prediction, facts: Facts) -> Annotations:
        """Return the mask."""
        return Annotations(class_mask=run_lengths.decode(prediction["mask"]), legend=self.class_names(facts))

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return the IoU of each class, and errors by their distance from a boundary."""
        from cnnpipe.metrics import segmentation_figures as draw

        details = scores.details
        iou = {name: row["iou"] for name, row in details["per_class"].items()}
        return {
            "iou.png": partial(draw.per_class, iou=iou),
            "errors_by_distance.png": partial(draw.errors_by_distance, rows=details["errors_by_distance"]),
        }

    # ── a first recipe ───────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return a recipe with a U-Net that fits the images found."""
        network, names = first_maps(data), tuple(data["class_names"])
        mirrored = [{"type": "random_flip", "mode": "horizontal"}] if data.get("flip") else []
        recipe = {
            "task": {"type": "semantic_segmentation", "classes": list(names), "loss": "crossentropy_and_dice"},
            "data": {
                "source": data["source"],
                "preprocessing": {**network.preprocessing, "color_mode": data["color_mode"]},
                **({"augmentation": mirrored} if mirrored else {}),
            },
            "model": network.model,
            "training": network.training,
            "export": [
                {"target": "generic", "quantization": "none"},
                {"target": "generic", "quantization": "int8", "max_drop": 0.02},
            ],
        }
        return Starter(recipe, (network.reason,))


def _interval(confusions: np.ndarray, number: int) -> tuple[float, float] | None:
    """Return the interval of the IoU of one class; None where not every resample of the examples shows it."""
    import numpy as np

    from cnnpipe.statistics import bootstrap

    both = confusions[:, number, number]
    columns = np.stack([both, confusions[:, number].sum(1) + confusions[:, :, number].sum(1) - both], 1).astype(float)
    with np.errstate(invalid="ignore"):
        found = bootstrap(columns, lambda sums: sums[:, 0] / sums[:, 1])
    return None if found is None or np.isnan(found).any() else found


def _accuracy(matrix: np.ndarray) -> np.ndarray:
    import numpy as np

    right: np.ndarray = np.trace(matrix, axis1=-2, axis2=-1) / np.maximum(matrix.sum((-2, -1)), 1)
    return right
