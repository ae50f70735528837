"""A program in the making: values, the steps between them, and the rules that make steps of nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from cnnpipe.graph.core import Node, NodeType, Shape

Role = Literal["weights", "bias", "numbers", "integers"]
"""What a constant is: kernels, biases, other real numbers, or integers such as a shape."""


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
    """What a step writes, or an input of the program. `shape` has the batch of 1."""

    number: int
    shape: Shape


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
    """

    name: str
    reads: list[Value | Constant | None]
    writes: Value
    layer: str
    macs: int = 0
    options: dict[str, Any] = field(default_factory=dict)

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

    def value(self, shape: Shape) -> Value:
        """Return a new value of this shape, the batch included."""
        self._values += 1
        return Value(self._values - 1, shape)

    def emit(
        self, name: str, *reads: Value | Constant | None, shape: Shape | None = None, macs: int = 0, **options: Any
    ) -> Value:
        """Add a step and return what it writes; its shape is that of the first input when none is given."""
        first = next(read for read in reads if isinstance(read, Value))
        written = self.value(first.shape if shape is None else shape)
        step = Step(name, list(reads), written, self.node.name, macs, options)
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

    def remove(self, step: Step, instead: Value) -> None:
        """Take a step away; what it wrote becomes `instead`."""
        del self._makers[step.writes]
        for value in dict.fromkeys(step.values):
            self._readers[value].remove(step)
        for reader in self._readers.pop(step.writes, []):
            reader.reads = [instead if read == step.writes else read for read in reader.reads]
            readers = self._readers.setdefault(instead, [])
            if reader not in readers:
                readers.append(reader)
        self.outputs = [instead if value == step.writes else value for value in self.outputs]

    def reshape(self, step: Step, shape: Shape) -> None:
        """Let a step write another shape."""
        old, step.writes = step.writes, Value(step.writes.number, shape)
        self._makers = {step.writes if value == old else value: maker for value, maker in self._makers.items()}
        self._readers[step.writes] = self._readers.pop(old, [])
        for reader in self._readers[step.writes]:
            reader.reads = [step.writes if read == old else read for read in reader.reads]
        self.outputs = [step.writes if value == old else value for value in self.outputs]


Rule = Callable[[Any, Draft, Sequence[Value]], Value]
"""Adds the steps of a node, given its type and what it reads, and returns what it writes."""
_rules: dict[type[NodeType], Rule] = {}
AnyRule = TypeVar("AnyRule", bound=Callable[..., Value])


def lowers(*node_types: type[NodeType]) -> Callable[[AnyRule], AnyRule]:
    """Register the rule of node types."""

    def register(rule: AnyRule) -> AnyRule:
        _rules.update(dict.fromkeys(node_types, rule))
        return rule

    return register


def rules() -> Mapping[type[NodeType], Rule]:
    """Return the registered rules."""
    return _rules


def batched(shape: Shape) -> Shape:
    """Return a shape with the batch of 1 before it."""
    return (1, *shape)


def values_in(shape: Shape) -> int:
    """Return the number of values of a shape."""
    return math.prod(shape)
