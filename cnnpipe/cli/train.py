"""Train a model and measure it, without exporting; or go on with a training that was stopped.

Ctrl-C stops after the current step; --resume continues from the last checkpoint. With --resume, --set changes what no
earlier step depends on: more epochs, max_time, early_stopping, restore.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import complete_recipes, json_option, make_command, runs_option, set_option
from cnnpipe.cli._output import finish
from cnnpipe.cli._progress import live


@make_command(
    __doc__,
    examples=[
        "cnnpipe train digits",
        "cnnpipe train digits --set seed=1",
        "cnnpipe train --resume digits/0007",
        "cnnpipe train --resume digits/0007 --set training.epochs=30",
    ],
)
@click.argument("recipe", required=False, shell_complete=complete_recipes)
@click.option("--resume", metavar="RUN", help="Continue this run instead of beginning one.")
@set_option
@runs_option
@json_option
def command(
    recipe: str | None, resume: str | None, overrides: tuple[str, ...], runs_folder: Path, as_json: bool
) -> None:
    if (recipe is None) == (resume is None):
        raise click.UsageError("give either a RECIPE or --resume RUN")

    from cnnpipe.jobs.train import resume as go_on
    from cnnpipe.jobs.train import train

    with live() as listener:
        if resume is not None:
            result = go_on(resume, runs_folder=runs_folder, listener=listener, overrides=overrides)
        else:
            result = train(str(recipe), overrides, runs_folder=runs_folder, listener=listener)
    finish(result, as_json)
