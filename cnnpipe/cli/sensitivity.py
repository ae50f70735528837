"""Tell which layers of a trained run int8 hurts, with their lines in the recipe.

Every operator computes in int8 and in float, on the same calibration examples. `steps` is its error in steps of its
output; `noise` is the share of what a channel carries that the error makes up.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, run_argument, runs_option
from cnnpipe.cli._output import print_json
from cnnpipe.cli._progress import live

SHOWN = 15


@make_command(
    __doc__, examples=["cnnpipe sensitivity digits", "cnnpipe sensitivity digits/0007 --granularity per_tensor --all"]
)
@run_argument
@click.option("--target", metavar="TARGET", help="The device; `cnnpipe list targets` names them.")
@click.option("--granularity", metavar="KIND", help="per_channel or per_tensor; the target's wish when left out.")
@click.option("--all", "every", is_flag=True, help=f"Show all operators, not only the worst {SHOWN}.")
@runs_option
@json_option
def command(
    run: str, target: str | None, granularity: str | None, every: bool, runs_folder: Path, as_json: bool
) -> None:
    from cnnpipe.jobs.sensitivity import sensitivity
    from cnnpipe.report.sensitivity import sensitivity_table

    given = {"target": target, "granularity": granularity}
    item = {key: value for key, value in given.items() if value is not None}
    with live() as listener:
        result = sensitivity(run, item, runs_folder=runs_folder, listener=listener)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo("\n".join(sensitivity_table(result.operators, None if every else SHOWN)))
