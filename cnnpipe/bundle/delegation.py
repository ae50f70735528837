"""Whether a quantized file is slower on this host than the same network in float, and which layers are to blame.

LiteRT hands its operators to a delegate of fast kernels. Operators that the delegate does not take in integers cut the
file into parts, and every cut costs time. Whether that makes the file slower than float is measured, not assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.runtime import latency_ms
from cnnpipe.bundle.workers import RUNTIME_SECONDS
from cnnpipe.errors import ProblemError
from cnnpipe.exporters import Delegation, Quantization
from cnnpipe.graph import Graph
from cnnpipe.litert_file import layers_in

if TYPE_CHECKING:
    from cnnpipe.bundle.attempt import Attempt, Bench

INTEGERS: frozenset[Quantization] = frozenset({"int8", "int16x8"})
SLOWER = 1.1
"""From how many times the time of float on it is told: what is less may be chance."""
NAMED = 3
"""How many places a note names before it only counts."""


def told_if_slower(made: Attempt, bench: Bench) -> Attempt:
    """Return a file with a note where its integers are slower here than float; microcontrollers have no delegate."""
    export = made.export
    if export.quantization not in INTEGERS or export.device.memory() is not None:
        return made
    found = _delegation(made, bench)
    if found is None or not found.cuts:
        return made
    try:
        slower = _times_float(made, bench)
    except ProblemError:  # without a float file there is nothing to compare with
        return made
    if slower < SLOWER:
        return made
    note = f"{export.quantization} takes {slower:.1f} times the time of float on this host: " + (
        f"the delegate does not take {_blamed(found, bench.subject.graph)}, and the file falls into "
        f"{found.partitions} parts"
        if found.partitions
        else "the delegate of fast kernels takes none of its operators"
    )
    facts = replace(made.runnable.facts, notes=(*made.runnable.facts.notes, note))
    return replace(made, runnable=replace(made.runnable, facts=facts))


def _delegation(made: Attempt, bench: Bench) -> Delegation | None:
    found: Delegation | None = bench.workers.runtime.call(
        "cnnpipe.bundle.workers.delegation", made.runnable.exporter, made.runnable.file, timeout=RUNTIME_SECONDS
    )
    return found


def _times_float(made: Attempt, bench: Bench) -> float:
    """Return how many times the time of the same network in float a file takes."""
    folder = bench.folder / f"{made.export.name}.float"
    folder.mkdir(parents=True, exist_ok=True)
    plain = replace(made.export, quantization="none", input_type="float32", output_type="float32", kept_float=())
    float_file = convert(plain, bench.subject, bench.workers, folder / plain.exporter.file_name)
    one = bench.subject.network_inputs("validation", [0])
    mine, floats = (latency_ms(bench.workers.runtime, file, one) for file in (made.runnable, float_file))
    return mine / floats


def _blamed(found: Delegation, graph: Graph) -> str:
    """Return the operators that the delegate did not take, each kind with the places of its layers."""
    kinds = dict.fromkeys(operator for operator, _ in found.cuts)
    return "; ".join(
        f"{kind} ({_places([tensor for operator, tensor in found.cuts if operator == kind], graph)})" for kind in kinds
    )


def _places(tensors: Sequence[str], graph: Graph) -> str:
    """Return where the layers of tensors stand in the recipe, each place once."""
    names = {layer for tensor in tensors for layer in layers_in(tensor)}
    nodes = [node for node in graph.nodes if node.name in names]
    found = list(dict.fromkeys(f"{node.block} at {node.place or node.path}" for node in nodes if node.block))
    if not found:
        return f"{len(tensors)} times"
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
