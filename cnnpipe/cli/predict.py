"""Ask a model about files: from a run, or from an exported bundle alone.

MODEL is a run (digits, digits/0007, a run folder) or a bundle folder; a bundle needs no TensorFlow. FILES are files,
folders, or patterns in quotes such as 'photos/*.jpg'.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, runs_option
from cnnpipe.cli._output import finish


@make_command(
    __doc__,
    examples=[
        "cnnpipe predict photos photo.jpg",
        "cnnpipe predict runs/photos/0001/exports/generic-int8 'new/*.jpg' --json",
        "cnnpipe predict nuclei_unet 'slides/*.png' --tiles --draw drawn",
    ],
)
@click.argument("model")
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--draw", type=click.Path(path_type=Path), help="Folder for pictures with what is said drawn over them.")
@click.option("--tiles", is_flag=True, help="Answer for large pictures in tiles, as large as they are, pixel by pixel.")
@runs_option
@json_option
def command(
    model: str, files: tuple[str, ...], draw: Path | None, tiles: bool, runs_folder: Path, as_json: bool
) -> None:
    from cnnpipe.jobs.predict import predict

    finish(predict(model, files, runs_folder=runs_folder, draw=draw, tiles=tiles), as_json)
