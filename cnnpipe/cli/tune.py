"""Search for the best recipe: what may vary, and for how long, stands in the recipe's section 'tuning'.

Candidates are judged on the validation split. Those that cannot be, or exceed an export's limits, are rejected before
they are trained. The same command goes on with a search that was stopped. Ends with the best recipe as a file.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, recipe_argument, runs_option, set_option
from cnnpipe.cli._output import print_json


@make_command(
    __doc__,
    examples=[
        "cnnpipe tune digits_tuning --workers 2",
        "cnnpipe tune my.yaml --set tuning.max_time=40m",
        "cnnpipe tune my.yaml --set tuning.algorithm=bayesian --study studies/bayesian",
        "cnnpipe tune my.yaml --listen 0.0.0.0:8000",
        "cnnpipe tune my.yaml --join HOST:8000",
    ],
)
@recipe_argument
@set_option
@click.option(
    "--study", "study_folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Folder of the search, new or to go on with; studies/NAME when left out.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(0), default=1, show_default=True, metavar="N",
    help="Candidates to train at once on this host; 0 with --listen: none here.",
)  # fmt: skip
@click.option(
    "--listen", metavar="HOST:PORT",
    help="Let other hosts take part, as KerasTuner's workers. There is no password: only for networks that you trust.",
)  # fmt: skip
@click.option("--join", metavar="HOST:PORT", help="Take part in the search of a command with --listen.")
@runs_option
@json_option
def command(
    recipe: str, overrides: tuple[str, ...], study_folder: Path | None, workers: int, listen: str | None,
    join: str | None, runs_folder: Path, as_json: bool,
) -> None:  # fmt: skip
    if listen and join:
        raise click.UsageError("a search is either listened to or joined: give --listen or --join")
    if join:
        _join(recipe, join, overrides, study_folder, runs_folder, workers, as_json)
        return
    from cnnpipe.cli._trials_screen import live_trials, screen
    from cnnpipe.jobs.tune import tune

    with live_trials() as listener:
        result = tune(recipe, overrides, study_folder, runs_folder, listener, workers, listen)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(screen(result))


def _join(
    recipe: str, chief: str, overrides: tuple[str, ...], study_folder: Path | None, runs_folder: Path, workers: int,
    as_json: bool,
) -> None:  # fmt: skip
    from cnnpipe.cli._progress import live
    from cnnpipe.jobs.tune_worker import tune_worker

    with live() as listener:
        done = tune_worker(recipe, chief, overrides, study_folder, runs_folder, listener, workers)
    if as_json:
        print_json({"chief": chief, "trials": done})
    else:
        click.echo(f"{done} trials were tried here for the chief at {chief}, which has the study.")
