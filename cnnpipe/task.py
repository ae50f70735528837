"""The task contract: the questions that the engine asks a task, and never answers itself.

Image classification answers all of them with a few lines each (`pipelines/image_classification.py`). The contract was
checked against four tasks that are built otherwise; this is how each would answer, and what its answer changed here.

**GAN** (Goodfellow et al. 2014). `needs` {images}. `networks` {generator, discriminator}; the generator's input is
`noise`, which no example holds. `encode` gives {}: there is no label. `losses` {}: `training_model` returns a
`keras.Model` with its own `train_step` over both networks, so `fit`, checkpoints, resume and export stay as they are.
`deployed` picks the generator. `answer` ignores the inputs and calls the network on seeded noise: that question was
added for this task, because inputs may come from elsewhere than the data. `decode` turns outputs into images, `score`
compares two sets of images (`truth` is empty, lower is better), `example_scores` is None: no image has a pair.

**Diffusion** (Ho et al. 2020). `networks` {denoiser} with the inputs `image` and `noise_level`. `training_model` draws
levels and noise in its `train_step`, seeded by the step like every random thing. `answer` calls the network once per
sampling step, whatever runtime `call` stands for, so a quantized file is judged by the pictures at the end of the
chain and not by one step. Calibration takes what `answer` handed to `call`, so all noise levels are seen.

**Mask R-CNN** (He et al. 2017). `needs` {images, bounding_boxes, segmentation_masks, labels}. `networks`
{first_stage, box_head, mask_head}, which `check` sums. `encode` keeps boxes and masks, padded to a fixed number;
proposals are matched inside `training_model`, as they depend on the weights. `deployed` joins the three graphs with
region-of-interest nodes between them; its layers carry the names of the parts, so weights are found by name: that is
why `deployed` returns a graph and not a name. `decode` does non-maximum suppression and pastes masks; `score` is COCO's
AP, whose interval is a bootstrap over images; `example_scores` is None and the drop is reported without a paired count.
`augmented` calls its targets `bounding_boxes.boxes`, `bounding_boxes.labels` and `segmentation_masks`, so that they
move with the images, and augmentations that cannot move them, or that mix labels, are refused at their line.

**Audio, 1D** (spoken words). `needs` {audio, labels}. Preprocessing is another file in its room, `waveform`: its
`key` says which key of the example it reads, its `apply` decodes, resamples and cuts to (samples, 1), its `input_nodes`
scale. Convolutions and pooling take their rank from the shape, so the same blocks make a 1D network. With a spectrogram
it stays outside of the quantized graph, in `apply`. `encode`, `decode` and `score` are those of image classification,
which is why they live in functions that both files call. Its augmentations implement `Augmentation.apply`, which gets
the whole batch. Its client is `audio_classifier` in the signature.

What these tasks will still have to add, because nothing needs it before: a key for inputs that no example holds (the
GAN's noise) in `Signature.inputs`, a second optimizer in checkpoints, and, for a `deployed` graph that joins several
networks, names that are unique over all of them and a copy of their weights before each validation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from cnnpipe.annotations import Annotations
from cnnpipe.errors import Path, Place, Problem
from cnnpipe.graph import Graph
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
"""Arrays by name, the batch axis first."""
Places = Callable[[Path], Place | None]
"""Gives the place of a recipe path."""
Prediction = Mapping[str, Any]
"""What a task says about one example, as plain values that JSON can hold."""


@dataclass(frozen=True)
class Facts:
    """What a task may know of the data.

    Args:
        preprocessing: What every example went through; `input_shape()` is the network's input.
        class_names: The class names in their fixed order, or None when the labels are numbers.
        class_counts: How many training examples each class has, or what `Task.class_counts` counts instead; empty as
            long as the data was not read.
        source_class_names: The class names in the source's own order, which its numbers mean; None where not known.
    """

    preprocessing: Preprocessing
    class_names: tuple[str, ...] | None = None
    class_counts: tuple[int, ...] = ()
    source_class_names: tuple[str, ...] | None = None

    def positions(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return for each class of the source its position in `names`; the numbers themselves where it has no names.

        Raises:
            ValueError: A class of the source is not among `names`; says which.
        """
        if missing := [name for name in self.source_class_names or () if name not in names]:
            raise ValueError(f"the class '{missing[0]}' is none of the task's classes")
        return tuple(names.index(name) for name in self.source_class_names or names)


@dataclass(frozen=True)
class Metric:
    """A number that a task reports.

    Args:
        name: Keras's or the field's name for it, such as `accuracy`.
        higher_is_better: Its direction.
        share: Whether it is a share of examples, so that one of n examples weighs 1 / n.
    """

    name: str
    higher_is_better: bool = True
    share: bool = False


@dataclass(frozen=True)
class Score:
    """A measured metric. `interval` is the 95 % interval, None where there is no honest one."""

    value: float
    n: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scores:
    """All that was measured on one split.

    Args:
        metrics: By metric name; the headline is among them.
        details: Tables that only this task has (per class, confusion matrix), as plain values.
    """

    metrics: Mapping[str, Score]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the answer to one example, to be looked at.

    Args:
        row: Its position in the split.
        annotations: What is drawn over the picture that the network saw, in its pixels.
        caption: What is said of it, such as its score.
    """

    row: int
    annotations: Annotations
    caption: str = ""


@dataclass(frozen=True)
class Signature:
    """What an exported file is to its client.

    Args:
        inputs: Tensor name to the key of the example that it takes: `{"image": "images"}`.
        outputs: Tensor name to one sentence that says what it holds.
        client: The kind of client, such as `image_classifier`.
        decoding: What else is needed to make answers of the outputs, such as the places that they stand for; plain
            values that JSON can hold, which bundle.json states.
        listed: Whether the outputs are a list: row k of each belongs to the k-th thing found. Of two nearly equal ones
            rounding decides which comes first, so files are not compared row by row.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    client: str
    decoding: Mapping[str, Any] = field(default_factory=dict)
    listed: bool = False


@dataclass(frozen=True)
class Starter:
    """A first recipe.

    Args:
        recipe: Its sections as plain values.
        reasons: Why it is as it is, one sentence each.
    """

    recipe: Mapping[str, Any]
    reasons: tuple[str, ...] = ()


class Task(Spec):
    """Base of all tasks. One task is one file in `pipelines/`, read top to bottom."""

    needs: ClassVar[frozenset[str]]
    """The keys of the example that it reads."""
    augmented: ClassVar[Mapping[str, str]] = {}
    """Which targets augmentations may change, and under which key of a batch: `{"probabilities": "labels"}`.

    A dot leads into a mapping: `bounding_boxes.boxes`. Labels can be mixed only where some target is `labels`. Other
    targets are left as they are.
    """

    postprocessings: ClassVar[Mapping[str, str]] = {}
    """What a file may compute behind the network, by name, with a clause that says what it gives."""

    type: str

    def check(self, facts: Facts) -> Sequence[Problem]:
        """Return what does not fit between this section and the data (paths relative to `task`)."""
        return ()

    @abstractmethod
    def headline(self) -> Metric:
        """Return the metric that decides: early stopping, best checkpoint, `max_drop`, order of runs."""

    @abstractmethod
    def known_class_names(self) -> tuple[str, ...] | None:
        """Return the class names as far as the recipe alone tells them, or None."""

    @abstractmethod
    def networks(self, model: Model, facts: Facts, place_of: Places) -> Mapping[str, Graph]:
        """Return the networks by name, usually one, as they are used when they are trained."""

    def training_networks(
        self, networks: Mapping[str, Graph], model: Model, facts: Facts, place_of: Places
    ) -> Mapping[str, Graph]:
        """Return the networks as they are trained: unless overridden, the same.

        A task that adds outputs, such as auxiliary heads, returns networks of the same names that begin with the same
        nodes; `losses` and `training_targets` know the further outputs, and nothing else sees them.
        """
        return networks

    @abstractmethod
    def encode(self, example: Mapping[str, Any], facts: Facts) -> Arrays:
        """Turn the truth of one raw example into training targets (no batch axis), by output or target name.

        Boxes and masks are already where the picture lies in the network's input (`Preprocessing.placed`).

        Raises:
            ValueError: The truth is not what this task can use; says why.
        """

    def class_counts(self, targets: Arrays, facts: Facts) -> tuple[int, ...]:
        """Return how often each class occurs in all training targets, for `Facts.class_counts`.

        Asked once, when the data is read, of tasks that need no labels: those have their examples counted. The batch
        axis comes first. Unless overridden nothing is counted.
        """
        return ()

    def soft_labels(self, targets: Mapping[str, Any], facts: Facts) -> Mapping[str, Any]:
        """Return a batch of targets with labels that may be averaged: floats, such as shares of the classes.

        Asked only when an augmentation mixes labels. The targets are tensors, in a graph; losses and metrics take what
        `encode` gives and what this makes of it.
        """
        return targets

    def decisions(self, facts: Facts) -> Sequence[str]:
        """Return what this section decides by the training data, one sentence each, to be printed and recorded."""
        return ()

    @abstractmethod
    def losses(self, facts: Facts) -> Mapping[str, Any]:
        """Return the Keras loss of each output of the networks as they are trained."""

    def loss_weights(self, facts: Facts) -> Mapping[str, float]:
        """Return how much the loss of each output counts; unless overridden, all count 1."""
        return {}

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a batch of targets by the outputs of the networks as they are trained, after all augmentation.

        The targets are tensors, in a graph. Unless overridden they are those of `encode`.
        """
        return targets

    def metrics(self, facts: Facts) -> Mapping[str, list[Any]]:
        """Return the Keras metrics of each output that are shown while training; some outputs may have none."""
        return {}

    def training_model(self, models: Mapping[str, keras.Model]) -> keras.Model:
        """Return what `fit` is called on: the only model, or one with its own `train_step`."""
        (model,) = models.values()
        return model

    def deployed(self, networks: Mapping[str, Graph]) -> Graph:
        """Return the graph that is exported: the only network, one of them, or several joined."""
        (graph,) = networks.values()
        return graph

    def postprocessed(self, graph: Graph, name: str) -> Graph:
        """Return the graph of a file that computes one of `postprocessings` behind the deployed network.

        Its outputs have other names than the network's, so that `decode` can tell them apart. Nodes with weights keep
        their names, so that the network's weights fit. A graph that computes it already is returned as it is.

        Args:
            graph: The deployed network; its input may have been changed for a client.
            name: One of `postprocessings`.
        """
        raise NotImplementedError

    def postprocessed_signature(self, facts: Facts, name: str) -> Signature:
        """Return what a file with one of `postprocessings` is to its client."""
        raise NotImplementedError

    def answer(self, call: Callable[[Arrays], Arrays], inputs: Arrays, facts: Facts) -> Arrays:
        """Return the outputs for these inputs; `call` runs the deployed network in any runtime, once unless overridden.

        Args:
            call: Takes tensors by name and returns outputs by name, batch axis first.
            inputs: What preprocessing made of the examples, by tensor name.
            facts: What is known of the data.
        """
        return call(inputs)

    @abstractmethod
    def decode(self, outputs: Arrays, facts: Facts) -> list[Prediction]:
        """Turn a batch of outputs into predictions. Numpy only: it also decodes exported files.

        The outputs are those of the deployed network, or of a file with one of `postprocessings`; all are float32.
        """

    @abstractmethod
    def score(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Scores:
        """Measure predictions against encoded truth (batch axis first). Numpy only."""

    def example_scores(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> np.ndarray | None:
        """Return one number per example whose mean is the headline metric, for paired counts; None if there is none."""
        return None

    def figures(self, scores: Scores, facts: Facts) -> Mapping[str, Any]:
        """Return pictures for the report by file name, as functions that draw on a matplotlib axes."""
        return {}

    def mistakes(self, truth: Arrays, predictions: Sequence[Prediction], facts: Facts) -> Sequence[Mistake]:
        """Return a few examples that show best what goes wrong, worst first; unless overridden none.

        Args:
            truth: Encoded truth of a split, batch axis first.
            predictions: What is said of it.
            facts: What is known of the data.
        """
        return ()

    def alike(self, first: Prediction, second: Prediction) -> bool:
        """Return whether two predictions say the same; unless overridden, all of it but numbers with a fraction.

        A task that answers for many places overrides it: some of them always lie on the edge between two answers.
        """
        return not differs(first, second)

    def restored(self, prediction: Prediction, placement: Placement) -> Prediction:
        """Return a prediction in pixels of the picture, where `decode` speaks of pixels of the network's input."""
        return prediction

    def annotations(self, prediction: Prediction, facts: Facts) -> Annotations | None:
        """Return what is drawn over the picture to show a prediction; None where there is nothing to draw."""
        return None

    @abstractmethod
    def signature(self, facts: Facts) -> Signature:
        """Return which network is exported, the names and meaning of its tensors, and the kind of client."""

    @classmethod
    @abstractmethod
    def starter(cls, data: Mapping[str, Any]) -> Starter:
        """Return the recipe that `new` writes, and why it is as it is.

        Args:
            data: What `new` found: `source` (a mapping for `data.source`), `class_names`, `examples` (their number),
                `image_size` (median height and width), `color_mode`, `flip`: whether training may mirror pictures,
                `pretrained`: whether pretrained weights may be used, and for boxes `most_boxes`: how many the picture
                with most boxes has.
        """


def differs(first: Any, second: Any) -> bool:
    """Return whether two predictions say something else; numbers with a fraction are not compared."""
    if isinstance(first, dict) and isinstance(second, dict):
        return list(first) != list(second) or any(differs(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) != len(second) or any(map(differs, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return False
    return bool(first != second)


ROOM = Room("pipelines", Task)
AnyTask = Annotated[Task, Component("pipelines")]
