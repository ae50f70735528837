"""Verify an exported bundle: all that it states again, from the bundle alone.

BUNDLE is a folder or a zip file. Checked are files, checksums, labels, preprocessing, tensors and golden samples; every
runtime of its target answers them again. With --data also the score. What cannot be run here is told as "not run". Exit
code 1 when something is wrong, 2 when it is no bundle.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command
from cnnpipe.cli._progress import live


@make_command(
    __doc__,
    examples=[
        "cnnpipe verify runs/digits/0007/exports/generic-int8",
        "cnnpipe verify bundle.zip --data photos/ --json",
    ],
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="PATH",
    help="Folder with a folder for each class, or a table: measure it there too.",
)  # fmt: skip
@json_option
def command(bundle: Path, data: Path | None, as_json: bool) -> None:
    from cnnpipe.cli._failures import print_problems
    from cnnpipe.cli._output import print_json
    from cnnpipe.jobs.verify import verify

    with live() as listener:
        result = verify(bundle, data, listener=listener)
    if as_json:
        print_json(result.as_json())
    else:
        from cnnpipe.cli._verify_screen import verify_screen

        click.echo(verify_screen(result))
    print_problems(result.problems)
    if not result.passed:
        click.get_current_context().exit(1)
