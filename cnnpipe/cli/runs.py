"""List runs, the best first, by the headline metric of the test split.

NAME is a recipe's name; without it, all are listed.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, runs_option
from cnnpipe.cli._output import print_json
from cnnpipe.cli._verbs import CommandWithVerbs


@make_command(
    __doc__,
    examples=["cnnpipe runs", "cnnpipe runs digits --json", "cnnpipe runs diff digits/0001 digits/0002"],
    kind=CommandWithVerbs,
)
@click.argument("name", required=False)
@runs_option
@json_option
def command(name: str | None, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.jobs.runs import runs
    from cnnpipe.report.tables import table

    found = runs(name, runs_folder=runs_folder)
    if as_json:
        print_json({"runs": [run.as_json() for run in found]})
        return
    header = ("run", "state", "metric", "score", "created")
    rows = [(run.reference, run.state, run.metric, run.score, run.created) for run in found]
    click.echo(table(header, rows, left=("run", "state", "metric", "created")) if rows else f"no runs in {runs_folder}")
