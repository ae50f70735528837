"""Print the JSON Schema of recipes, so that an editor completes and checks them.

Components of --plugins folders are part of it. A recipe whose first line is

  # yaml-language-server: $schema=recipe.schema.json

is then checked while it is written, in every editor with the YAML language server.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command
from cnnpipe.cli._output import print_json


@make_command(__doc__, examples=["cnnpipe schema > recipe.schema.json", "cnnpipe schema --output recipe.schema.json"])
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to a file.")
@json_option
def command(output: Path | None, as_json: bool) -> None:
    from cnnpipe.jobs.schema import schema, write_schema

    if output is None:
        print_json(schema())
        return
    hint = write_schema(output)
    if as_json:
        print_json({"file": str(output), "hint": hint})
    else:
        click.echo(f"wrote {output}; begin a recipe beside it with\n{hint}")
