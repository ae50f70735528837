"""Describe a network: shapes, parameters, multiply-adds, receptive field, memory.

One recipe gives a row per layer, and for a backbone a row per block or feature level (--all: its layers too).
"if dense" says how many weights a fully connected layer would need between the same input and output.

Several give one row each, but for broken ones; patterns such as 'vgg*' stand for shipped recipes. "sees" is the
receptive field of the last map, "memory" what is alive of float32 activations at the peak. "flash" and "arena" are
predicted: the bytes of an int8 file, and what it takes of memory in LiteRT Micro.

With --target or --board: the operators that the exported file will have, what they take there, and what does not fit.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, recipes_argument, set_option
from cnnpipe.cli._failures import print_problems
from cnnpipe.cli._output import print_json, terminal_width
from cnnpipe.errors import Problem, ProblemError

COLUMNS = ("recipe", "parameters", "macs", "sees", "memory", "flash", "arena", "year", "source")
PICTURE = click.Path(dir_okay=False, path_type=Path)


@make_command(
    __doc__,
    examples=[
        "cnnpipe describe digits",
        "cnnpipe describe a.yaml b.yaml",
        "cnnpipe describe '*' --sort macs --scatter zoo.svg",
        "cnnpipe describe digits --plot digits.svg",
        "cnnpipe describe digits --board nicla_vision",
    ],
)
@recipes_argument
@set_option
@click.option(
    "--plot",
    type=PICTURE,
    metavar="FILE",
    help="Draw it by blocks, or with --all every layer: .svg or .png (of a device: the arena).",
)
@click.option("--keras", is_flag=True, help="Print the model as a plain Keras script that needs no cnnpipe.")
@click.option("--all", "every", is_flag=True, help="Show every layer of a backbone.")
@click.option(
    "--sort",
    type=click.Choice(COLUMNS, case_sensitive=False),
    metavar="COLUMN",
    help=f"Sort the table: {', '.join(COLUMNS)}. Largest sizes and earliest years come first.",
)
@click.option(
    "--scatter",
    type=PICTURE,
    metavar="FILE",
    help="Draw all in one chart, multiply-adds against parameters: .svg or .png.",
)
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
    sort: str | None,
    scatter: Path | None,
    target: str | None,
    board: str | None,
    quantization: str | None,
    as_json: bool,
) -> None:
    from cnnpipe.jobs.compare_recipes import named_recipes

    names = named_recipes(recipes)
    many = len(names) > 1 or bool(sort or scatter)
    if many and (plot or keras):
        raise click.UsageError("--plot and --keras take one recipe, --sort and --scatter compare several")
    if keras and as_json:
        raise click.UsageError("--keras prints a script, --json an object; choose one")
    if target or board:
        if keras or every or sort or scatter:
            options = "--keras, --all, --sort and --scatter"
            raise click.UsageError(f"--target and --board predict a file; {options} show networks")
        given = {"target": target, "board": board, "quantization": quantization}
        item = {key: value for key, value in given.items() if value is not None}
        _predict(names, item, overrides, plot, as_json)
        return
    if quantization:
        raise click.UsageError("--quantization needs --target or --board")
    if many:
        _compare(names, overrides, sort, scatter, as_json)
    else:
        _describe(names[0], overrides, plot, keras, every, as_json)


def _describe(
    recipe: str, overrides: tuple[str, ...], plot: Path | None, keras: bool, every: bool, as_json: bool
) -> None:
    from cnnpipe.jobs import describe as job
    from cnnpipe.report.description import layer_table, weights_line

    found = job.describe(recipe, overrides)
    print_problems(found.warnings)
    if plot:
        job.plot(found, plot, every)
        click.echo(f"wrote {plot}", err=True)
    if as_json:
        print_json(found.as_json())
    elif keras:
        click.echo(job.keras_script(found))
    else:
        click.echo(layer_table(found.layers, found.dense_weights, found.totals, every))
        click.echo("".join(f"weights: {file}\n" for file in [weights_line(found.weights)] if file), nl=False)
        click.echo("".join(f"{line}\n" for line in found.only_trained), nl=False)


def _compare(
    recipes: list[str], overrides: tuple[str, ...], sort: str | None, scatter: Path | None, as_json: bool
) -> None:
    from cnnpipe.jobs import compare_recipes as job
    from cnnpipe.report import problems as report
    from cnnpipe.report.comparison import comparison, ordered

    found = job.compare_recipes(recipes, overrides)
    warnings = dict.fromkeys(warning for one in found.recipes for warning in one.description.warnings)
    rows = ordered([{"recipe": one.recipe, **one.as_json()} for one in found.recipes], sort)
    if scatter:
        job.plot(found.recipes, scatter)
        click.echo(f"wrote {scatter}", err=True)
    if as_json:
        print_json({"recipes": {row.pop("recipe"): row for row in rows}, "problems": report.as_json(found.problems)})
    else:
        click.echo(comparison(rows, terminal_width()))
    print_problems([*warnings, *found.problems])
    if found.problems:
        click.get_current_context().exit(ProblemError.exit_code)


def _predict(
    recipes: list[str], item: dict[str, str], overrides: tuple[str, ...], plot: Path | None, as_json: bool
) -> None:
    from cnnpipe.jobs.forecasts import forecasts
    from cnnpipe.jobs.forecasts import plot as plot_forecast
    from cnnpipe.report import problems as report
    from cnnpipe.report.forecast import forecast_text

    found, broken = {}, list[Problem]()
    for recipe in recipes:
        try:
            found[recipe] = forecasts(recipe, item, overrides)
        except ProblemError as error:
            broken += error.problems
    if not found:
        raise ProblemError(dict.fromkeys(broken))
    problems = [problem for made in found.values() for one in made for problem in one.problems]
    problems += dict.fromkeys(broken)
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
    if broken:
        click.get_current_context().exit(ProblemError.exit_code)
