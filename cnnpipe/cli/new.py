"""Write a starter recipe for your data: it looks at the data and fills in the rest.

TASK is one of `cnnpipe list tasks`. Nothing is overwritten. Whether training may mirror the pictures is asked on a
terminal; elsewhere it does not, unless --flip says so.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command
from cnnpipe.cli._output import print_json

QUESTION = "Does a mirrored picture (left and right exchanged) still show its class? No for text, digits, arrows"


@make_command(
    __doc__,
    examples=[
        "cnnpipe new image_classification --data photos/",
        "cnnpipe new image_classification --data photos/ --output flowers.yaml",
    ],
)
@click.argument("task")
@click.option("--data", type=click.Path(path_type=Path), required=True, metavar="PATH", help="Folder, table or list.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The recipe; named for the data."
)
@click.option(
    "--flip/--no-flip", default=None,
    help="Whether a picture that exchanges left and right still shows its class, so that training may mirror.",
)  # fmt: skip
@click.option("--from-scratch", is_flag=True, help="Do not begin with a pretrained backbone, even where it pays.")
@json_option
def command(task: str, data: Path, output: Path | None, flip: bool | None, from_scratch: bool, as_json: bool) -> None:
    from cnnpipe.jobs.new import new

    if flip is None:
        flip = not as_json and is_terminal() and click.confirm(QUESTION, err=True)
    result = new(task, data, output, flip, not from_scratch)
    if as_json:
        print_json(result.as_json())
        return
    for note in result.notes:
        click.echo(note)
    click.echo(f"wrote {result.file}\nnext: cnnpipe run {shlex.quote(str(result.file))}")


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()
