"""Export a trained run again: every file of its recipe, or the one that the options name.

Each file is opened, run, compared with the Keras model and measured. Exit code 1 when one breaks a promise.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, run_argument, runs_option
from cnnpipe.cli._output import finish
from cnnpipe.cli._progress import live


@make_command(
    __doc__,
    examples=[
        "cnnpipe export digits",
        "cnnpipe export digits/0007 --quantization int8 --max-drop 0.01",
        "cnnpipe export digits --board nicla_vision --quantization int8",
    ],
)
@run_argument
@click.option("--target", metavar="TARGET", help="The device; `cnnpipe list targets` names them.")
@click.option("--board", metavar="BOARD", help="A microcontroller board; `cnnpipe list boards` names them.")
@click.option("--format", "file_format", metavar="FORMAT", help="File format; `cnnpipe list exporters` names them.")
@click.option(
    "--quantization", metavar="KIND", help="none (when left out), float16, dynamic_range, int8, int16x8 or ladder."
)
@click.option("--granularity", metavar="KIND", help="per_channel or per_tensor; the target's wish when left out.")
@click.option(
    "--corrected-biases",
    is_flag=True,
    default=None,
    help="Take off the biases of an int8 file what rounded weights add on average.",
)
@click.option("--postprocessing", metavar="NAME", help="What the file computes behind the network, as class_map.")
@click.option("--max-drop", type=float, metavar="DROP", help="How much of the headline metric the file may lose.")
@runs_option
@json_option
def command(
    run: str,
    target: str | None,
    board: str | None,
    file_format: str | None,
    quantization: str | None,
    granularity: str | None,
    corrected_biases: bool | None,
    postprocessing: str | None,
    max_drop: float | None,
    runs_folder: Path,
    as_json: bool,
) -> None:
    from cnnpipe.jobs.export import export

    given = {
        "target": target,
        "board": board,
        "format": file_format,
        "quantization": quantization,
        "granularity": granularity,
        "corrected_biases": corrected_biases,
        "postprocessing": postprocessing,
        "max_drop": max_drop,
    }
    item = {key: value for key, value in given.items() if value is not None}
    with live() as listener:
        result = export(run, item or None, runs_folder=runs_folder, listener=listener)
    finish(result, as_json)
