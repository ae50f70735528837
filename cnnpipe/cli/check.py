"""Check recipes: every mistake at once, each with its line.

Nothing is trained, and TensorFlow is not imported. Exit code 0 when there is no error (warnings are allowed), else 2.
"""

from __future__ import annotations

import click

from cnnpipe.cli._command import json_option, make_command, recipes_argument, set_option
from cnnpipe.cli._failures import print_problems
from cnnpipe.cli._output import print_json


@make_command(__doc__, examples=["cnnpipe check digits", "cnnpipe check my.yaml --set training.epochs=5 --json"])
@recipes_argument
@set_option
@json_option
@click.pass_context
def command(ctx: click.Context, recipes: tuple[str, ...], overrides: tuple[str, ...], as_json: bool) -> None:
    from cnnpipe.jobs.check import check
    from cnnpipe.report import problems as report

    results = {recipe: check(recipe, overrides) for recipe in recipes}
    problems = [problem for result in results.values() for problem in result.problems]
    if as_json:
        print_json({"problems": report.as_json(problems)})
    else:
        for recipe, result in results.items():
            if result.passed:
                click.echo("\n".join([f"{recipe}: ok ({result.summary})", *result.settings, *result.notes]))
    print_problems(problems)
    ctx.exit(0 if all(result.passed for result in results.values()) else 2)
