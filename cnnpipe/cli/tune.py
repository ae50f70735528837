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
        "cnnpipe tune digits_tuning",
        "cnnpipe tune my.yaml --set tuning.max_time=40m",
        "cnnpipe tune my.yaml --set tuning.algorithm=bayesian --study studies/bayesian",
    ],
)
@recipe_argument
@set_option
@click.option(
    "--study", "study_folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Folder of the search, new or to go on with; studies/NAME when left out.",
)  # fmt: skip
@runs_option
@json_option
def command(
    recipe: str, overrides: tuple[str, ...], study_folder: Path | None, runs_folder: Path, as_json: bool
) -> None:
    from cnnpipe.cli._trials_screen import live_trials, screen
    from cnnpipe.jobs.tune import tune

    with live_trials() as listener:
        result = tune(recipe, overrides, study_folder, runs_folder, listener)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(screen(result))
