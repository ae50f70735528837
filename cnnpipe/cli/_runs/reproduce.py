"""Train a run again and tell whether it comes to the same.

Its resolved recipe is trained with its seed into a new run folder. Other versions or hardware are told; other data ends
it with 2. It ends with 1 when the headline metric differs by more than the tolerance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnpipe.cli._command import json_option, make_command, run_argument, runs_option
from cnnpipe.cli._output import print_json
from cnnpipe.cli._progress import live

if TYPE_CHECKING:
    from cnnpipe.jobs.reproduce import ReproduceResult


@make_command(
    __doc__, examples=["cnnpipe runs reproduce digits/0001", "cnnpipe runs reproduce digits/0001 --tolerance 0.005"]
)
@run_argument
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=0.0, show_default=True, metavar="T",
    help="By how much the headline metric may differ, in its own unit.",
)  # fmt: skip
@runs_option
@json_option
def command(run: str, tolerance: float, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.cli._failures import print_problems
    from cnnpipe.jobs.reproduce import reproduce

    with live() as listener:
        result = reproduce(run, tolerance, runs_folder=runs_folder, listener=listener)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(_screen(result))
    print_problems(result.problems)
    if not result.passed:
        click.get_current_context().exit(1)


def _screen(result: ReproduceResult) -> str:
    from cnnpipe.cli._runs import _tables as tables

    header = (f"A {result.old}", f"B {result.new.parent.name}/{result.new.name}")
    told = [*result.notes, *([tables.paired_line(result.paired)] if result.paired else [])]
    environment = (
        tables.facts_table("environment", result.environment, header)
        if result.environment
        else "Data, versions, hardware and plugins are equal."
    )
    return "\n\n".join([tables.scores_table(result.scores, header), "\n".join(told), environment, _verdict(result)])


def _verdict(result: ReproduceResult) -> str:
    if result.bit_identical:
        return f"reproduced: the weights are bit-identical ({result.new})"
    which = f"{result.metric} differs by {result.difference:.4g}, allowed is {result.tolerance:.4g}"
    weights = "the weights are not bit-identical"
    return f"{'reproduced' if result.passed else 'NOT reproduced'}: {which}; {weights} ({result.new})"
