"""Look for what is wrong with a recipe's data, or with this machine and installation.

With RECIPE: counts and balance of classes, files that cannot be read or are suspicious, exact and near copies across
splits, shapes, colours, mirrored classes; and a contact sheet of what the model sees. Exit code 2 when a run could not
use the data, else 0. Without: versions, devices, memory, disks and caches. Nothing is sent anywhere.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import complete_recipes, json_option, make_command, runs_option, set_option
from cnnpipe.cli._output import print_json


@make_command(
    __doc__,
    examples=[
        "cnnpipe doctor photos.yaml",
        "cnnpipe doctor photos.yaml --picture sheet.png --set data.unreadable=skip",
        "cnnpipe doctor digits --no-picture --json",
        "cnnpipe doctor --devices",
    ],
)
@click.argument("recipe", required=False, shell_complete=complete_recipes)
@set_option
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Where to draw the contact sheet; by default NAME-contact-sheet.png in the current folder.",
)  # fmt: skip
@click.option("--no-picture", is_flag=True, help="Draw no contact sheet; TensorFlow is not needed then.")
@click.option("--devices", is_flag=True, help="Without RECIPE: ask TensorFlow for its devices, which takes seconds.")
@runs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    recipe: str | None,
    overrides: tuple[str, ...],
    picture: Path | None,
    no_picture: bool,
    devices: bool,
    runs_folder: Path,
    as_json: bool,
) -> None:
    if recipe is None:
        if overrides or picture or no_picture:
            raise click.UsageError("--set, --picture and --no-picture need a recipe")
        _environment(runs_folder, devices, as_json)
        return
    if devices or (picture and no_picture):
        raise click.UsageError("--devices takes no recipe" if devices else "choose --picture or --no-picture")

    from cnnpipe.cli._progress import live
    from cnnpipe.jobs.doctor import doctor
    from cnnpipe.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides)
    sheet = None if no_picture else picture or Path(f"{loaded.name}-contact-sheet.png")
    with live() as listener:
        found = doctor(loaded, runs_folder=runs_folder, picture=sheet, listener=listener)
    if as_json:
        print_json(found.as_json())
    else:
        from cnnpipe.cli._doctor_screens import data_screen

        click.echo(data_screen(found))
    ctx.exit(0 if found.passed else 2)


def _environment(runs_folder: Path, devices: bool, as_json: bool) -> None:
    from cnnpipe.cli._failures import print_problems
    from cnnpipe.jobs.environment import environment

    found = environment(runs_folder, devices)
    if as_json:
        print_json(found.as_json())
    else:
        from cnnpipe.cli._doctor_screens import environment_screen

        click.echo(environment_screen(found))
    print_problems(found.problems)
