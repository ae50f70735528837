"""A program in the making: values, the steps between them, and the rules that make steps of nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from cnnpipe.graph.core import Node, NodeType, Shape
from cnnpipe.graph.ordering import original_name

Role = Literal["weights", "bias", "numbers", "integers"]
"""What a constant is: kernels, biases, other real numbers, or integers such as a shape."""


BIAS_INPUT = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}
"""Operators with kernel and biases, and which input the biases are."""


class NotPredicted(Exception):
    """Nobody has verified what the converter makes of a network, so nothing is said about it.

    Args:
        node: The node without a rule.
        reason: What is not known, as a clause.
    """

    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(f"not predicted: {reason} ({node.name})")
        self.node = node
        self.reason = reason


@dataclass(frozen=True)
class Value:
    """What a step writes, or an input of the program.

    Args:
        number: What tells it from others.
        shape: Its shape with the batch of 1.
        dtype: Its type; empty for real numbers, whose type the quantization decides.
    """

    number: int
    shape: Shape
    dtype: str = ""


@dataclass(frozen=True)
class Constant:
    """Numbers that are stored in the file.

    Args:
        role: What they are.
        shape: Their shape.
        key: What tells them from others: constants of equal keys are stored once.
        channels: How many output channels they belong to, each with a scale of its own; 1 for one scale.
    """

    role: Role
    shape: Shape
    key: tuple[Any, ...]
    channels: int = 1


@dataclass(eq=False)
class Step:
    """One operator.

    Args:
        name: LiteRT's name.
        reads: What it reads, in LiteRT's order; None for an optional input that is left out.
        writes: What it writes.
        layer: Name of the node that it computes.
        macs: Multiply-adds for one example.
        options: What tells it from others of its name.
        folds: Names of the nodes whose steps were taken into it.
    """

    name: str
    reads: list[Value | Constant | None]
    writes: Value
    layer: str
    macs: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    folds: list[str] = field(default_factory=list)

    @property
    def values(self) -> list[Value]:
        """What it reads that is no constant."""
        return [read for read in self.reads if isinstance(read, Value)]


class Draft:
    """The steps so far. `node` is the one that is being lowered."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.node: Node
        self._values = 0
        self._makers: dict[Value, Step] = {}
        self._readers: dict[Value, list[Step]] = {}

    @property
    def steps(self) -> list[Step]:
        """All steps in their order."""
        return list(self._makers.values())

    def value(self, shape: Shape, dtype: str = "") -> Value:
        """Return a new value of this shape, the batch included."""
        self._values += 1
        return Value(self._values - 1, shape, dtype)

    def emit(
        self,
        name: str,
        *reads: Value | Constant | None,
        shape: Shape | None = None,
        macs: int = 0,
        dtype: str = "",
        **options: Any,
    ) -> Value:
        """Add a step and return what it writes; its shape is that of the first input when none is given."""
        first = next(read for read in reads if isinstance(read, Value))
        written = self.value(first.shape if shape is None else shape, dtype)
        step = Step(name, list(reads), written, original_name(self.node.name), macs, options)
        self._makers[written] = step
        for value in dict.fromkeys(step.values):
            self._readers.setdefault(value, []).append(step)
        return written

    def weights(self, shape: Shape, channels: int = 1, role: str = "kernel") -> Constant:
        """Return a kernel of the current node, in LiteRT's layout."""
        return Constant("weights", shape, (self.node.name, role), channels)

    def bias(self, channels: int) -> Constant:
        """Return the biases of the current node."""
        return Constant("bias", (channels,), (self.node.name, "bias"), channels)

    def numbers(self, shape: Shape, *key: Any) -> Constant:
        """Return real numbers; those of equal keys are the same."""
        return Constant("numbers", shape, (*key, shape))

    def integers(self, *values: int) -> Constant:
        """Return a list of integers, such as a shape."""
        return Constant("integers", (len(values),), values)

    def integer(self, value: int) -> Constant:
        """Return one integer without axes."""
        return Constant("integers", (), (value,))

    def table(self, *rows: tuple[int, ...]) -> Constant:
        """Return integers in rows and columns."""
        return Constant("integers", (len(rows), len(rows[0])), rows)

    def add_bias(self, step: Step) -> None:
        """Give a step biases, if it has none yet."""
        channels, place = step.writes.shape[-1], BIAS_INPUT[step.name]
        step.reads[place:] = [Constant("bias", (channels,), (step.layer, "bias"), channels)]

    def not_predicted(self, reason: str) -> NotPredicted:
        """Return that something about the current node is not known, to be raised."""
        return NotPredicted(self.node, reason)

    def readers(self, value: Value) -> list[Step]:
        """Return the steps that read a value."""
        return list(self._readers.get(value, ()))

    def maker(self, value: Value) -> Step | None:
        """Return the step that writes a value; None for an input."""
        return self._makers.get(value)

    def alone(self, step: Step) -> Step | None:
        """Return the step whose only reader this one is, by its first input; None when there is no such step."""
        value = step.values[0]
        read_once = len(self._readers[value]) == 1 and value not in self.outputs
        return self.maker(value) if read_once else None

    def remove(self, step: Step, instead: Value, into: Step | None = None) -> None:
        """Take a step away, as another computes it; what it wrote becomes `instead`."""
        if into is not None:
            into.folds.append(step.layer)
        del self._makers[step.writes]
        for value in dict.fromkeys(step.values):
            self._readers[value].remove(step)
        for reader in self._readers.pop(step.writes, []):
            self._replace(reader, step.writes, instead)
        self.outputs = [instead if value == step.writes else value for value in self.outputs]

    def rewire(self, step: Step, source: Value) -> None:
        """Let a step of one input read another value."""
        (old,) = step.values
        self.exchange(step, old, source)

    def exchange(self, step: Step, old: Value, new: Value) -> None:
        """Let a step read another value instead of one."""
        self._readers[old].remove(step)
        self._replace(step, old, new)

    def reshape(self, step: Step, shape: Shape) -> None:
        """Let a step write another shape."""
        old, new = step.writes, Value(step.writes.number, shape, step.writes.dtype)
        step.writes = new
        self._makers = {new if value == old else value: maker for value, maker in self._makers.items()}
        for reader in self._readers.pop(old, []):
            self._replace(reader, old, new)
        self.outputs = [new if value == old else value for value in self.outputs]

    def swap(self, first: Step, second: Step) -> None:
        """Exchange what two steps do, of which the second alone reads the first, and only that."""
        for field_name in ("name", "layer", "macs", "options"):
            one, other = getattr(first, field_name), getattr(second, field_name)
            setattr(first, field_name, other)
            setattr(second, field_name, one)
        first.reads[1:], second.reads[1:] = second.reads[1:], first.reads[1:]
        self.reshape(first, first.values[0].shape)

    def _replace(self, reader: Step, old: Value, new: Value) -> None:
        reader.reads = [new if read == old else read for read in reader.reads]
        readers = self._readers.setdefault(new, [])
        if reader not in readers:
            readers.append(reader)


Rule = Callable[[Any, Draft, Sequence[Value]], Value]
"""Adds the steps of a node, given its type and what it reads, and returns what it writes."""
Reads = tuple[int, ...]
"""What a part of a node reads: n is the node's input n, ~n (a negative number) its part n."""
Split = Callable[[Any, Sequence[Shape]], list[tuple[Rule, Reads]]]
"""Returns the parts of a node, given its type and the shapes that it reads, without the batch; the last is its output.

Parts are what the converter sorts on its own.
"""
_splits: dict[type[NodeType], Split] = {}
AnyRule = TypeVar("AnyRule", bound=Callable[..., Value])
AnySplit = TypeVar("AnySplit", bound=Callable[..., list[tuple[Rule, Reads]]])


@dataclass(frozen=True)
class Part:
    """A node, or a part of it, as the converter sorts it.

    Args:
        node: The node.
        reads: What it reads, as positions in a list of parts.
        rule: What lowers it.
    """

    node: Node
    reads: tuple[int, ...]
    rule: Rule

    def reading(self, reads: tuple[int, ...]) -> Part:
        """Return it with other positions."""
        return Part(self.node, reads, self.rule)


def lowers(*node_types: type[NodeType]) -> Callable[[AnyRule], AnyRule]:
    """Register the rule of node types that are one part."""

    def register(rule: AnyRule) -> AnyRule:
        def split(node: NodeType, shapes: Sequence[Shape]) -> list[tuple[Rule, Reads]]:
            return [(rule, tuple(range(len(shapes))))]

        _splits.update(dict.fromkeys(node_types, split))
        return rule

    return register


def splits(*node_types: type[NodeType]) -> Callable[[AnySplit], AnySplit]:
    """Register how node types fall into several parts."""

    def register(split: AnySplit) -> AnySplit:
        _splits.update(dict.fromkeys(node_types, split))
        return split

    return register


def lowered_parts(node: Node, shapes: Sequence[Shape]) -> list[tuple[Rule, Reads]]:
    """Return the parts of a node.

    Raises:
        NotPredicted: There is no rule for it.
    """
    split = _splits.get(type(node.type))
    if split is None:
        raise NotPredicted(node, f"the operators of {node.type.kind.replace('_', ' ')}")
    return split(node.type, shapes)


def batched(shape: Shape) -> Shape:
    """Return a shape with the batch of 1 before it."""
    return (1, *shape)


def values_in(shape: Shape) -> int:
    """Return the number of values of a shape."""
    return math.prod(shape)
