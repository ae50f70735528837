"""Benchmark exported files: size, score, drop, time, memory and arena in one table.

MODEL is a run (digits, digits/0007, a run folder), a bundle folder, or a zip file of one. Time and memory are measured
now, on this host: they compare files with each other, not with a phone or a board.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnpipe.cli._command import json_option, make_command, runs_option
from cnnpipe.cli._progress import live


@make_command(
    __doc__,
    examples=["cnnpipe benchmark digits", "cnnpipe benchmark runs/digits/0007/exports/generic-int8 --json"],
)
@click.argument("model")
@runs_option
@json_option
def command(model: str, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.cli._benchmark_screen import benchmark_screen
    from cnnpipe.cli._output import print_json
    from cnnpipe.jobs.benchmark import benchmark

    with live() as listener:
        result = benchmark(model, runs_folder=runs_folder, listener=listener)
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(benchmark_screen(result))
