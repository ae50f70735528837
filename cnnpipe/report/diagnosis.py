"""What `doctor` prints of a recipe's data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from cnnpipe.diagnosis import SEVERITIES, Finding, counted
from cnnpipe.report.tables import Cell, table

WIDTH = 110
"""Letters of a line."""
INDENT = 9
"""Of what belongs to a finding: the longest severity, and two blanks."""
EXAMPLES, KINDS, CLASSES = 5, 5, 30
"""How many examples of a finding, kinds of pictures and classes are listed; errors list all examples."""


def class_table(classes: Mapping[str, Mapping[str, int]], splits: Mapping[str, int]) -> str:
    """Return how many examples of each class each split has; of many classes the largest and the smallest."""
    order = sorted(classes, key=lambda name: sum(classes[name].values()), reverse=True)
    shown = list(classes) if len(order) <= CLASSES else [*order[: CLASSES // 2], *order[-CLASSES // 2 :]]
    rows: list[tuple[Cell, ...]] = [(name, *classes[name].values(), sum(classes[name].values())) for name in shown]
    if len(shown) < len(order):
        rows.insert(CLASSES // 2, (f"({len(order) - len(shown)} more)", *(None for _ in splits), None))
    total: tuple[Cell, ...] = ("all", *splits.values(), sum(splits.values()))
    return table(("class", *splits, "all"), [*rows, total], left=("class",))


def picture_lines(pictures: Mapping[str, Mapping[str, int]]) -> str:
    """Return how pictures are stored, one line a property."""
    width = max(map(len, pictures), default=0)
    return "\n".join(f"{key:<{width}}  {_kinds(numbers)}" for key, numbers in pictures.items() if numbers)


def finding_lines(findings: Sequence[Finding]) -> str:
    """Return all findings with examples and what to do, then how many there are."""
    blocks = ["\n".join(_block(finding)) for finding in findings]
    numbers = {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}
    return "\n\n".join([*blocks, ", ".join(counted(number, severity) for severity, number in numbers.items())])


def _kinds(numbers: Mapping[str, int]) -> str:
    some = list(numbers.items())[:KINDS]
    more = [f"{len(numbers) - len(some)} more"] if len(numbers) > len(some) else []
    return ", ".join([f"{kind} {number:,}" for kind, number in some] + more)


def _block(finding: Finding) -> Iterator[str]:
    sentence = finding.message if finding.message.endswith("?") else f"{finding.message}."
    lines = textwrap.wrap(sentence, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
    yield f"{finding.severity:<{INDENT}}{lines[0]}"
    yield from (" " * INDENT + line for line in lines[1:])
    shown = finding.examples if finding.severity == "error" else finding.examples[:EXAMPLES]
    yield from (f"{'':{INDENT}}- {example}" for example in shown)
    if len(shown) < len(finding.examples):
        yield f"{'':{INDENT}}- and {len(finding.examples) - len(shown):,} more, which --json lists"
    hint = textwrap.wrap(finding.hint, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
    yield from (" " * INDENT + line for line in hint)
