"""Train a model and measure it, without exporting; or go on with a training that was stopped.

Ctrl-C stops after the current step; --resume continues from the last checkpoint. With --resume, --set changes what no
earlier step depends on: more epochs, max_time, early_stopping, restore, distribution.

With --workers each batch is divided among processes, of this host or, with --listen, of others that --join. All of them
need the same data and versions; what is written is written here. A process that is gone ends the training, which then
goes on with --resume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cnnpipe.cli._command import (
    complete_recipes,
    json_option,
    make_command,
    runs_option,
    set_option,
    workers_option,
)
from cnnpipe.cli._output import finish, print_json
from cnnpipe.cli._progress import live
from cnnpipe.events import Listener


@make_command(
    __doc__,
    examples=[
        "cnnpipe train digits",
        "cnnpipe train digits --set seed=1",
        "cnnpipe train --resume digits/0007",
        "cnnpipe train --resume digits/0007 --set training.epochs=30",
        "cnnpipe train digits --workers 2",
        "cnnpipe train my.yaml --workers 3 --listen 0.0.0.0:8000",
        "cnnpipe train --join HOST:8000 --set data.source.path=/data/photos",
    ],
)
@click.argument("recipe", required=False, shell_complete=complete_recipes)
@click.option("--resume", metavar="RUN", help="Continue this run instead of beginning one.")
@set_option
@workers_option
@click.option(
    "--listen", metavar="HOST:PORT",
    help="Let all workers but this one join from elsewhere. There is no password: only for networks that you trust.",
)  # fmt: skip
@click.option("--join", "chief", metavar="HOST:PORT", help="Take part in the training of a command with --listen.")
@runs_option
@json_option
def command(
    recipe: str | None, resume: str | None, overrides: tuple[str, ...], workers: int | None, listen: str | None,
    chief: str | None, runs_folder: Path, as_json: bool,
) -> None:  # fmt: skip
    if (recipe, resume, chief).count(None) != 2:
        raise click.UsageError("give either a RECIPE, or --resume RUN, or --join HOST:PORT")
    if chief is not None and (workers, listen) != (None, None):
        raise click.UsageError("the command with --listen says how many workers there are")

    from cnnpipe.jobs.train import resume as go_on
    from cnnpipe.jobs.train import train

    shared: dict[str, Any] = {"runs_folder": runs_folder, "workers": workers, "listen": listen}
    with live() as listener:
        if chief is not None:
            _join(chief, overrides, runs_folder, listener, as_json)
            return
        if resume is not None:
            result = go_on(resume, overrides=overrides, listener=listener, **shared)
        else:
            result = train(str(recipe), overrides, listener=listener, **shared)
    finish(result, as_json)


def _join(chief: str, overrides: tuple[str, ...], runs_folder: Path, listener: Listener, as_json: bool) -> None:
    from cnnpipe.jobs.join import join

    epochs = join(chief, overrides, runs_folder, listener=listener)
    if as_json:
        print_json({"chief": chief, "epochs": epochs})
    else:
        click.echo(f"Trained {epochs} epochs for the chief at {chief}, which has the run.")
