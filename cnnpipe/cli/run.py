"""Train, measure, export and prove: a recipe becomes files that are known to work.

Exit code 1 when a file breaks a promise of the recipe, such as max_drop. Everything is kept in a new run folder.
"""

from __future__ import annotations

from pathlib import Path

from cnnpipe.cli._command import json_option, make_command, recipe_argument, runs_option, set_option, workers_option
from cnnpipe.cli._output import finish
from cnnpipe.cli._progress import live


@make_command(__doc__, examples=["cnnpipe run digits", "cnnpipe run my.yaml --set training.epochs=30"])
@recipe_argument
@set_option
@workers_option
@runs_option
@json_option
def command(recipe: str, overrides: tuple[str, ...], workers: int | None, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.jobs.run import run

    with live() as listener:
        result = run(recipe, overrides, runs_folder=runs_folder, listener=listener, workers=workers)
    finish(result, as_json)
