"""The screen of `cnnpipe inspect`."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.durations import magnitude
from cnnpipe.exporters import TensorFacts
from cnnpipe.jobs.fitting_targets import Fit
from cnnpipe.jobs.inspect import Inspection
from cnnpipe.report.tables import byte_size, printable, shape, table

LABELS = 10


def inspect_screen(found: Inspection, every: bool) -> str:
    """Return what is in a file. Names from the file are shown without control characters.

    Args:
        found: What was found.
        every: Whether to show every operator, not only how many of each there are.
    """
    program = found.program
    lines = [
        f"{found.file}: {byte_size(found.bytes)}, {_words(found.quantization)}, {len(program.operators)} operators, "
        f"{len(program.tensors)} tensors, {program.macs:,} multiply-adds",
        *found.notes,
        "",
        *(_tensor("input", tensor) for tensor in found.inputs),
        *(_tensor("output", tensor) for tensor in found.outputs),
        *_metadata(found),
        "",
        _each(found) if every else _counts(found),
        "",
        *_arena(found),
        "",
        table(("target", "fits", "time for an example", "why not, or what to know"), list(map(_fit, found.fits)), LEFT),
    ]
    return printable("\n".join(lines))


LEFT = ("target", "fits", "why not, or what to know", "operator", "layer", "output")


def _words(quantization: str) -> str:
    return "float32" if quantization == "none" else quantization


def _tensor(kind: str, tensor: TensorFacts) -> str:
    form = f"{kind:<7} {tensor.name}: {tensor.dtype} {shape(tensor.shape)}"
    if tensor.scale is None:
        return form
    point = tensor.zero_point or 0
    stored = f"(stored {'+' if point < 0 else '-'} {abs(point)})" if point else "stored"
    return f"{form}, real = {tensor.scale:.9g} * {stored}"


def _metadata(found: Inspection) -> Iterator[str]:
    said = found.metadata
    if said is None:
        yield "metadata: none inside"
        return
    yield f"metadata: {said.name}" + (f" ({said.description})" if said.description else "")
    for entry in said.inputs:
        yield f"  {entry.name}: (pixel - {list(entry.mean)}) / {list(entry.std)}"
    for output in said.outputs:
        labels = output.labels or ()
        more = f" and {len(labels) - LABELS} more" if len(labels) > LABELS else ""
        yield f"  {output.name}: {len(labels)} labels" + (f": {', '.join(labels[:LABELS])}{more}" if labels else "")


def _counts(found: Inspection) -> str:
    macs = {name: 0 for name in found.counts}
    for operator in found.program.operators:
        macs[operator.name] += operator.macs
    rows = [(name, count, macs[name], _share(macs[name], found)) for name, count in found.counts.items()]
    return table(("operator", "count", "multiply-adds", "share"), rows, LEFT)


def _each(found: Inspection) -> str:
    program = found.program
    rows = [
        (str(step), operator.name, operator.layer, _output(found, step), operator.macs, _share(operator.macs, found))
        for step, operator in enumerate(program.operators)
    ]
    return table(("step", "operator", "layer", "output", "multiply-adds", "share"), rows, LEFT)


def _output(found: Inspection, step: int) -> str:
    outputs = found.program.operators[step].outputs
    tensor = found.program.tensors[outputs[0]] if outputs else None
    return f"{shape(tensor.shape)} {tensor.dtype}" if tensor else "-"


def _share(macs: int, found: Inspection) -> str:
    return f"{macs / found.program.macs:.1%}" if macs else "-"


def _arena(found: Inspection) -> Iterator[str]:
    arena, operators = found.arena, found.program.operators
    yield f"arena in LiteRT Micro: {arena.total:,} bytes: head {arena.head:,}, tail {arena.tail:,} (estimated)"
    if operators:
        peak = operators[arena.peak]
        yield f"largest during step {arena.peak}, {peak.name}" + (f" of {peak.layer}" if peak.layer else "")


def _fit(fit: Fit) -> tuple[str, str, str, str]:
    why = "; ".join((*fit.reasons, *fit.warnings))
    time = "-" if fit.seconds is None else " to ".join(map(magnitude, fit.seconds))
    return fit.target, "no" if fit.reasons else "yes", time, why
