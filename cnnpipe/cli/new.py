"""Write a starter recipe for your data: it looks at the data and fills in the rest.

TASK is one of `cnnpipe list tasks`. Nothing is overwritten.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command
from cnnpipe.cli._output import print_json


@make_command(
    __doc__,
    examples=[
        "cnnpipe new image_classification --data photos/",
        "cnnpipe new image_classification --data photos/ --output flowers.yaml",
    ],
)
@click.argument("task")
@click.option("--data", type=click.Path(path_type=Path), required=True, metavar="PATH", help="Folder or CSV file.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The recipe; named for the data."
)
@json_option
def command(task: str, data: Path, output: Path | None, as_json: bool) -> None:
    from cnnpipe.jobs.new import new

    result = new(task, data, output)
    if as_json:
        print_json(result.as_json())
        return
    for note in result.notes:
        click.echo(note)
    click.echo(f"wrote {result.file}\nnext: cnnpipe run {shlex.quote(str(result.file))}")
