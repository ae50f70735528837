"""Sources of examples. One file per source."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from cnnpipe.errors import Place
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

SplitName = Literal["training", "validation", "test"]
IGNORED = 255
"""What `segmentation_masks` says of pixels that count neither in training nor in scores."""
NAMED = 3
"""How many places of a repair are told before they are only counted."""
SPLITS: tuple[SplitName, ...] = ("training", "validation", "test")


@dataclass(frozen=True)
class Example:
    """One example, not yet read.

    Args:
        name: Stable and unique: a path relative to the source, or a number as text.
        split: Where the source says it belongs, or None when content decides.
        read: Returns the raw example by Keras's keys, in pixels of the upright picture:
            `images` is the content of a file as bytes, or an array of shape `(height, width)` or
            `(height, width, channels)`, uint8;
            `labels` is what the source says: a class name, a tuple of class names, or a number;
            `bounding_boxes` holds `boxes`, float32 of shape `(n, 4)` as `xyxy`, `labels`, int32 of shape `(n,)`, the
            position in the source's class names, and, where a source marks groups that are not told apart, `crowd`,
            bool of shape `(n,)`; n may be 0;
            `segmentation_masks` is uint8 of shape `(height, width)`: 0 where there is none of the classes, 1 and more
            for the first and further of the source's class names, `IGNORED` where nobody knows;
            `instance_masks` is int32 of shape `(height, width)`: 0 where there is nothing, k for the box in row k - 1;
            where two instances overlap the smaller one is seen.
        file: The file that it stands in, when there is one.
        place: Where a table or list names it, when one does.
    """

    name: str
    split: SplitName | None
    read: Callable[[], Mapping[str, Any]]
    file: Path | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Examples:
    """What a source holds.

    Args:
        examples: All examples, in a stable order.
        class_names: All class names in their fixed order, or None when the labels are numbers.
        notes: What was left out or decided, one sentence each, printed and recorded.
        repairs: Flaws of annotations and what was done about them, such as `boxes without area, left out`, each with
            all places where it was found.
    """

    examples: Sequence[Example]
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def told(self) -> tuple[str, ...]:
        """Return the notes, and a sentence for each kind of repair that names its first places."""
        found = []
        for kind, places in self.repairs.items():
            more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
            found.append(f"{kind.capitalize()}: {len(places):,} ({'; '.join(places[:NAMED])}{more}).")
        return (*self.notes, *found)


class Dataset(Spec):
    """Base of all sources."""

    keys: ClassVar[frozenset[str]] = frozenset({"images", "labels"})
    """The keys of the examples that it can give."""
    more_keys_with: ClassVar[str] = ""
    """The setting with which it gives all of them, such as `masks: true`; empty where it always does."""
    names_need_a_library: ClassVar[bool] = False
    """Whether `class_names` imports a large library; classes that a recipe states are then compared with the data."""

    type: str

    def gives(self) -> frozenset[str]:
        """Return the keys of the examples that it gives as it is set."""
        return self.keys

    def class_names(self) -> tuple[str, ...] | None:
        """Return the class names when they are known without reading anything, else None."""
        return None

    @abstractmethod
    def open(self, folder: Path) -> Examples:
        """List the examples. Relative paths are relative to `folder`, that of the recipe which says them.

        Raises:
            ProblemError: The data is not there, or is not what the source expects.
        """


ROOM = Room("datasets", Dataset)
AnyDataset = Annotated[Dataset, Component("datasets")]
