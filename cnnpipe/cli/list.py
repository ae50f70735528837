"""List what a recipe can name: tasks, blocks, data sources, targets ... and the shipped recipes.

KIND is one of them, such as blocks, targets, tasks or recipes. Components of --plugins folders are listed too. Of a
recipe you see what its `about` section says: what it is, where the network was published, and when.
"""

from __future__ import annotations

import click

from cnnpipe.cli._command import json_option, make_command
from cnnpipe.cli._output import print_json, terminal_width


@make_command(__doc__, examples=["cnnpipe list", "cnnpipe list blocks", "cnnpipe list recipes --json"])
@click.argument("kind", required=False)
@json_option
def command(kind: str | None, as_json: bool) -> None:
    from cnnpipe.jobs.list_components import component_columns, list_components
    from cnnpipe.report.tables import table

    if kind == "recipes":
        _list_recipes(as_json)
        return
    found = list_components(kind)
    if as_json:
        print_json(found)
        return
    if kind and (columns := component_columns(kind)):
        header = [kind, *next(iter(columns.values()))]
        click.echo(table(header, [[name, *row.values()] for name, row in columns.items()], left=header[:3]))
        return
    width = max((len(name) for names in found.values() for name in names), default=0)
    for title, names in found.items():
        click.echo(click.style(title, bold=True))
        for name, line in names.items():
            click.echo(f"  {name:<{width}}  {line}".rstrip())


def _list_recipes(as_json: bool) -> None:
    from cnnpipe.jobs.list_recipes import list_recipes
    from cnnpipe.report.recipes import recipe_table

    found = list_recipes()
    if as_json:
        print_json({"recipes": found})
    else:
        click.echo(recipe_table(found, terminal_width()))
