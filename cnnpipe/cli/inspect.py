"""Look into any LiteRT file: operators, tensors, arena, and the targets that it fits.

FILE is a .tflite file, by whomever it was made. The head of the arena is what LiteRT Micro's reference kernels take,
exactly; the tail is an estimate. Times are orders of magnitude, from multiply-adds.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command


@make_command(
    __doc__,
    examples=["cnnpipe inspect model.tflite", "cnnpipe inspect model.tflite --all --plot arena.svg"],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw the arena: .svg or .png."
)
@click.option("--all", "every", is_flag=True, help="Show every operator.")
@json_option
def command(file: Path, plot: Path | None, every: bool, as_json: bool) -> None:
    from cnnpipe.cli._inspect_screen import inspect_screen
    from cnnpipe.cli._output import print_json
    from cnnpipe.jobs import inspect as job

    found = job.inspect(file)
    if plot:
        job.plot(found, plot)
        click.echo(f"wrote {plot}", err=True)
    if as_json:
        print_json(found.as_json())
    else:
        click.echo(inspect_screen(found, every))
