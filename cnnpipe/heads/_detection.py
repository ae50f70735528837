"""What a task that finds objects asks its head, and what the head answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.heads import Head

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Candidates:
    """Objects that a head says are in one image; several may stand for the same one.

    Args:
        boxes: `(n, 4)` float32 as `xyxy`, in pixels of the network's input.
        labels: `(n,)` int, the class of each.
        scores: `(n,)`, how sure, 0 to 1.
        masks: Returns bool `(k, height, width)` of the network's input for these k rows; None: the head gives no masks.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    masks: Callable[[np.ndarray], np.ndarray] | None = None


class ObjectHead(Head):
    """What heads that find objects share: each has its outputs, the loss that they learn by, and their meaning."""

    listed: ClassVar[bool] = False
    """Whether its outputs are a list of what it found, the best first, as `Signature.listed` means it."""

    @abstractmethod
    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], learning: bool
    ) -> Mapping[str, Tensor]:
        """Add the head, and return its outputs by name.

        Args:
            graph: Where to add.
            maps: The maps that the model gives, by level.
            classes: How many classes there are.
            image: Height and width of the network's input.
            learning: Whether to return what only the loss reads too.

        Raises:
            ProblemError: The maps are not those that the head needs.
        """

    @abstractmethod
    def meanings(self, class_names: Sequence[str]) -> Mapping[str, str]:
        """Return one sentence for each output that is exported, which says what it holds."""

    @abstractmethod
    def decoding(self, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return what else is needed to make objects of the outputs, as plain values that JSON can hold."""

    @abstractmethod
    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the loss compares with, by output.

        Args:
            targets: Tensors, batch axis first: `boxes` (m, 4) as `xyxy` in pixels of the network's input, `labels`
                (m,), -1 for rows without object, `crowd` (m,), 1 for rows that stand for a crowd; for tasks with masks
                also `instance_masks` (height, width, 1), k where the object of row k - 1 is seen.
        """

    @abstractmethod
    def losses(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the Keras loss of each output of the network that is trained; None for those without."""

    @abstractmethod
    def candidates(
        self, outputs: Mapping[str, np.ndarray], image: tuple[int, int], score_threshold: float
    ) -> Candidates:
        """Return what the outputs of one example say, no score below the threshold. Numpy only."""


class DetectionHead(ObjectHead):
    """Base of heads that find objects as boxes: their candidates have no masks."""

    def placed(
        self, graph: GraphBuilder, outputs: Mapping[str, Tensor], image: tuple[int, int]
    ) -> tuple[Tensor, Tensor] | None:
        """Add what makes boxes (n, 4) as `xyxy` in pixels of its outputs, and return these and their scores.

        Args:
            graph: Where to add.
            outputs: The outputs that are exported, by name.
            image: Height and width of the network's input.

        Returns:
            Boxes, and scores (n, classes); None, unless overridden: nodes cannot tell.
        """
        return None


class MaskHead(ObjectHead):
    """Base of heads that find objects as masks in boxes: `candidates(...).masks` is there.

    The targets hold `instance_masks`, and the boxes that they learn are the smallest ones around them. Rows with an
    object come first, and there are as many rows as the image with the most objects has: batches differ in that.
    """
