"""What commands print on stdout when a job is done."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cnnpipe.jobs.results import EvaluateResult, ExportsResult, PredictResult, RunResult, TrainResult

    Result = RunResult | TrainResult | ExportsResult | EvaluateResult | PredictResult


def print_json(value: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def finish(result: Result, as_json: bool) -> None:
    """Print the result of a job; exit with 1 when it broke a promise, which is named on stderr."""
    from cnnpipe.cli._failures import print_problems
    from cnnpipe.cli._screens import screen

    if as_json:
        print_json(result.as_json())
    else:
        click.echo(screen(result))
    print_problems(getattr(result, "problems", ()))
    if not getattr(result, "passed", True):
        click.get_current_context().exit(1)


def terminal_width() -> int | None:
    """Return the columns of the terminal that stdout is, or that COLUMNS says; None when it is a file or a pipe."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns
