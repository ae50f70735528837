"""The one place where a failure becomes text on stderr and an exit code. Never a traceback, unless `--debug`."""

from __future__ import annotations

import json
import os
import tempfile
import traceback
from collections.abc import Iterable

import click

from cnnpipe.cli._command import DEBUG, JSON
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.report.problems import as_json, render

INTERRUPTED = 130


def report_failure(error: BaseException, ctx: click.Context) -> int:
    """Tell the user what went wrong and return the exit code: 1 gate, 2 bad input, 70 our mistake, 130 Ctrl-C."""
    if ctx.meta.get(DEBUG):
        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, KeyboardInterrupt):
        click.echo(f"\n{error}" if str(error) else "\nStopped.", err=True)
        return INTERRUPTED
    if isinstance(error, OSError) and error.strerror:
        error = ProblemError(_from_system(error))
    if isinstance(error, ProblemError) and error.exit_code == INTERRUPTED:
        click.echo("\n".join(str(problem) for problem in error.problems), err=True)
        return INTERRUPTED
    if isinstance(error, ProblemError):
        if ctx.meta.get(JSON):
            click.echo(json.dumps({"problems": as_json(error.problems)}))
        print_problems(error.problems)
        return error.exit_code
    click.echo(_our_mistake(error), err=True)
    return 70


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems on stderr, each with its source line, and how many there are."""
    if text := render(problems):
        click.echo(text, err=True)


def _from_system(error: OSError) -> Problem:
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = f" ({' -> '.join(names)})" if names else ""
    return Problem(f"the system says: {error.strerror}{where}")


def _our_mistake(error: BaseException) -> str:
    handle, file = tempfile.mkstemp(prefix="cnnpipe-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write("".join(traceback.format_exception(error)))
    summary = str(error).partition("\n")[0][:200]
    what = f"{type(error).__name__}: {summary}"
    return f"This is a mistake in cnnpipe, not in your input ({what}); the traceback is in {file}."
