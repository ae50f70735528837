"""A graph in few words: stages, what stands in line in each, where ways part and meet again, what is repeated."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from cnnpipe.graph.core import Graph
from cnnpipe.graph.nodes.dropout import StochasticDepth

FOLLOWING = frozenset({"activation", "batch_normalization", "dropout", "stochastic_depth", "channel_scale"})
"""Kinds of nodes that belong to the one before."""
LEADING = frozenset({"zero_padding", "centered_padding"})
"""Kinds of nodes that belong to the one after."""
MOST_IN_BRANCHES = 120
"""From how many nodes on that some connection goes around nobody could follow the ways between them."""


@dataclass(frozen=True)
class Step:
    """A layer with what belongs to it, such as its normalization and activation.

    Args:
        nodes: Positions in the graph.
    """

    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Branches:
    """Where ways part, and meet again in a node that belongs to it.

    Args:
        branches: The ways, each with its parts.
        shortcut: Whether one more way does nothing.
        join: Where they meet; None where they end apart.
    """

    branches: tuple[tuple[Part, ...], ...]
    shortcut: bool
    join: Step | None


@dataclass(frozen=True)
class Repeated:
    """Parts that stand several times in a row, with other weights and perhaps other widths of what they read.

    Args:
        parts: They, the first time.
        times: How often.
    """

    parts: tuple[Part, ...]
    times: int


@dataclass(frozen=True)
class Tangle:
    """Layers that read one another too often for branches.

    Args:
        nodes: Positions in the graph.
    """

    nodes: tuple[int, ...]


Part = Step | Branches | Repeated | Tangle


@dataclass(frozen=True)
class Stage:
    """What a block of the recipe, or a level of a stored network, became.

    Args:
        label: The block's name.
        nodes: Positions in the graph.
        parts: What stands in line.
        reads: Labels of the stages that it reads beside the one before; empty mostly.
    """

    label: str
    nodes: tuple[int, ...]
    parts: tuple[Part, ...]
    reads: tuple[str, ...]


def outline(graph: Graph) -> list[Stage]:
    """Return the stages of a graph, in order. Every node stands in exactly one, repetitions in their first one."""
    groups = [(label, tuple(group)) for label, group in _groups(graph)]
    home = {position: number for number, (_, nodes) in enumerate(groups) for position in nodes}
    stages = []
    for number, (label, nodes) in enumerate(groups):
        read = {home[source] for position in nodes for source in graph.nodes[position].inputs} - {number, number - 1}
        parts = tuple(_repeated(graph, _parts(graph, nodes)))
        stages.append(Stage(label, nodes, parts, tuple(groups[other][0] for other in sorted(read))))
    return stages


def _groups(graph: Graph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the label and the nodes of each stage: the nodes of a block, its repetitions together."""
    for _, group in groupby(range(len(graph.nodes)), key=lambda position: _block(graph, position)):
        members = tuple(group)
        labels = [graph.nodes[position].block.split(".") for position in members]
        shared = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*labels, strict=False))]
        yield ".".join(shared) or ".".join(labels[0]), members


def _block(graph: Graph, position: int) -> str:
    """Return the path of the outermost block that made a node; of a stored network, its level."""
    node = graph.nodes[position]
    parts = node.path.split(".")
    number = next((number for number, part in enumerate(parts) if part.isdigit()), None)
    return node.block if number is None else ".".join(parts[: number + 1])


def _parts(graph: Graph, nodes: Sequence[int]) -> list[Part]:
    """Return what stands in line among nodes: steps, and branches between the nodes that every way passes."""
    found: list[Part] = []
    line: list[int] = []
    between: list[int] = []
    passed = _passed_by_all(graph, nodes)
    for position in nodes:
        if position not in passed:
            between.append(position)
        elif between or len(graph.nodes[position].inputs) > 1:
            found += _steps(graph, line)
            found.append(_branches(graph, between, position))
            line, between = [], []
        elif found and not line and isinstance(found[-1], Branches) and graph.nodes[position].type.kind in FOLLOWING:
            found[-1] = _with(found[-1], position)
        else:
            line.append(position)
    found += _steps(graph, line)
    return [*found, _branches(graph, between, None)] if between else found


def _passed_by_all(graph: Graph, nodes: Sequence[int]) -> set[int]:
    """Return the nodes that no connection goes around."""
    order = {position: number for number, position in enumerate(nodes)}
    covered = [0] * (len(nodes) + 1)
    for number, position in enumerate(nodes):
        for source in graph.nodes[position].inputs:
            start = order.get(source, -1)
            covered[start + 1] += 1
            covered[number] -= 1
    passed, over = set(), 0
    for number, position in enumerate(nodes):
        over += covered[number]
        if over == 0:
            passed.add(position)
    return passed


def _branches(graph: Graph, between: Sequence[int], join: int | None) -> Branches | Tangle:
    if len(between) > MOST_IN_BRANCHES:
        return Tangle((*between, *([] if join is None else [join])))
    ways = _components(graph, between)
    inside = set(between)
    shortcut = join is not None and any(source not in inside for source in graph.nodes[join].inputs)
    branches = tuple(tuple(_repeated(graph, _parts(graph, way))) for way in ways)
    return Branches(branches, shortcut and bool(branches), None if join is None else Step((join,)))


def _components(graph: Graph, nodes: Sequence[int]) -> list[list[int]]:
    """Return the nodes in groups that no connection joins."""
    group: dict[int, list[int]] = {}
    for position in nodes:
        merged = [position]
        for source in graph.nodes[position].inputs:
            if source in group and group[source] is not merged:
                merged = [*group[source], *merged]
                for member in merged:
                    group[member] = merged
        for member in merged:
            group[member] = merged
    unique = {id(members): sorted(set(members)) for members in group.values()}
    return sorted(unique.values())


def _with(branches: Branches, position: int) -> Branches:
    join = branches.join.nodes if branches.join else ()
    return Branches(branches.branches, branches.shortcut, Step((*join, position)))


def _steps(graph: Graph, line: Sequence[int]) -> Iterator[Step]:
    """Yield nodes that stand in line, each with what belongs to it."""
    kinds = [graph.nodes[position].type.kind for position in line]
    start = 0
    for number in range(1, len(line) + 1):
        ends = number == len(line) or not (kinds[number] in FOLLOWING or kinds[number - 1] in LEADING)
        if ends:
            yield Step(tuple(line[start:number]))
            start = number


def _repeated(graph: Graph, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield parts, with those that are the same several times in a row as one."""
    marks = [_mark(graph, part) for part in parts]
    start = 0
    while start < len(parts):
        length, times = max(_repetitions(marks[start:]), key=lambda pair: (pair[0] * pair[1], -pair[0]))
        if times > 1:
            yield Repeated(tuple(parts[start : start + length]), times)
        else:
            length, times = 1, 1
            yield parts[start]
        start += length * times


def _repetitions(marks: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """Yield how many of the first parts stand how often in a row."""
    yield 1, 1
    for length in range(1, len(marks) // 2 + 1):
        times = 1
        while marks[times * length : (times + 1) * length] == marks[:length]:
            times += 1
        if times > 1:
            yield length, times


def _mark(graph: Graph, part: Part) -> Hashable:
    """Return what is the same for parts that do the same with other weights."""
    if isinstance(part, Step):
        types = (graph.nodes[position].type for position in part.nodes)
        return tuple(node_type.kind if isinstance(node_type, StochasticDepth) else node_type for node_type in types)
    if isinstance(part, Repeated):
        return part.times, tuple(_mark(graph, inner) for inner in part.parts)
    if isinstance(part, Tangle):
        return part.nodes
    ways = tuple(tuple(_mark(graph, inner) for inner in way) for way in part.branches)
    return ways, part.shortcut, part.join and _mark(graph, part.join)
