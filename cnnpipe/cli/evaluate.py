"""Measure a run's model or an exported bundle on one split of its data.

MODEL is a run (digits, digits/0007, a run folder) or a bundle folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cnnpipe.cli._command import json_option, make_command, runs_option
from cnnpipe.cli._output import finish
from cnnpipe.cli._progress import live

if TYPE_CHECKING:
    from cnnpipe.datasets import SplitName


@make_command(
    __doc__,
    examples=["cnnpipe evaluate digits", "cnnpipe evaluate runs/digits/0007/exports/generic-int8 --split validation"],
)
@click.argument("model")
@click.option(
    "--split",
    type=click.Choice(["training", "validation", "test"]),
    default="test",
    show_default=True,
    help="Which part of the data.",
)
@runs_option
@json_option
def command(model: str, split: str, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.jobs.evaluate import evaluate

    with live() as listener:
        result = evaluate(model, cast("SplitName", split), runs_folder=runs_folder, listener=listener)
    finish(result, as_json)
