"""Describe a network: shapes, parameters, multiply-adds, receptive field, memory.

One recipe gives a row per layer, and for a backbone a row per feature level (--all: its layers too); several give one
comparing table. "if dense" says how many weights a fully connected layer would need between the same input and output.
With --target or --board: the operators that the exported file will have, what they take there, and what does not fit.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, recipes_argument, set_option
from cnnpipe.cli._failures import print_problems
from cnnpipe.cli._output import print_json


@make_command(
    __doc__,
    examples=[
        "cnnpipe describe digits",
        "cnnpipe describe a.yaml b.yaml",
        "cnnpipe describe digits --plot digits.svg",
        "cnnpipe describe digits --board nicla_vision",
    ],
)
@recipes_argument
@set_option
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw it: .svg or .png (of a device: the arena).",
)
@click.option("--keras", is_flag=True, help="Print the model as a plain Keras script that needs no cnnpipe.")
@click.option("--all", "every", is_flag=True, help="Show every layer of a backbone.")
@click.option("--target", metavar="TARGET", help="Predict the file for this device; `cnnpipe list targets`.")
@click.option("--board", metavar="BOARD", help="The same for a microcontroller board; `cnnpipe list boards`.")
@click.option("--quantization", metavar="KIND", help="With --target or --board: int8 (when left out) or none.")
@json_option
def command(
    recipes: tuple[str, ...],
    overrides: tuple[str, ...],
    plot: Path | None,
    keras: bool,
    every: bool,
    target: str | None,
    board: str | None,
    quantization: str | None,
    as_json: bool,
) -> None:
    if len(recipes) > 1 and (plot or keras):
        raise click.UsageError("--plot and --keras take one recipe")
    if keras and as_json:
        raise click.UsageError("--keras prints a script, --json an object; choose one")
    if target or board:
        if keras or every:
            raise click.UsageError("--target and --board predict a file; --keras and --all show the network")
        given = {"target": target, "board": board, "quantization": quantization}
        item = {key: value for key, value in given.items() if value is not None}
        _predict(recipes, item, overrides, plot, as_json)
        return
    if quantization:
        raise click.UsageError("--quantization needs --target or --board")

    from cnnpipe.jobs import describe as job
    from cnnpipe.report.description import comparison, layer_table, weights_line

    found = [job.describe(recipe, overrides) for recipe in recipes]
    print_problems(warning for description in found for warning in description.warnings)
    if plot:
        job.plot(found[0], plot)
        click.echo(f"wrote {plot}", err=True)
    if as_json:
        objects = [description.as_json() for description in found]
        print_json(objects[0] if len(objects) == 1 else {"recipes": dict(zip(recipes, objects, strict=True))})
    elif keras:
        click.echo(job.keras_script(found[0]))
    elif len(found) == 1:
        click.echo(layer_table(found[0].layers, found[0].dense_weights, found[0].totals, every))
        click.echo("".join(f"weights: {file}\n" for file in [weights_line(found[0].weights)] if file), nl=False)
    else:
        click.echo(comparison(recipes, [description.layers for description in found], [d.totals for d in found]))


def _predict(
    recipes: tuple[str, ...], item: dict[str, str], overrides: tuple[str, ...], plot: Path | None, as_json: bool
) -> None:
    from cnnpipe.jobs.forecasts import forecasts
    from cnnpipe.jobs.forecasts import plot as plot_forecast
    from cnnpipe.report import problems as report
    from cnnpipe.report.forecast import forecast_text

    found = {recipe: forecasts(recipe, item, overrides) for recipe in recipes}
    problems = [problem for made in found.values() for one in made for problem in one.problems]
    if plot:
        plot_forecast([one for made in found.values() for one in made], plot)
        click.echo(f"wrote {plot}", err=True)
    if as_json:
        objects = {recipe: [one.as_json() for one in made] for recipe, made in found.items()}
        print_json({"recipes": objects, "problems": report.as_json(problems)})
    else:
        texts = [forecast_text(one.as_json(), one.export.device.title) for made in found.values() for one in made]
        click.echo("\n\n".join(texts))
    print_problems(problems)
