"""Show what differs between two runs: changed recipe keys beside changed scores.

A and B are run folders, names and numbers (digits/0007), or names: their newest run. Nothing is trained or measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnpipe.cli._command import json_option, make_command, runs_option
from cnnpipe.cli._output import print_json

if TYPE_CHECKING:
    from cnnpipe.jobs.diff_runs import Change, RunsDiff


@make_command(__doc__, examples=["cnnpipe runs diff digits/0001 digits/0002", "cnnpipe runs diff mine theirs --json"])
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@runs_option
@json_option
def command(old: str, new: str, runs_folder: Path, as_json: bool) -> None:
    from cnnpipe.jobs.diff_runs import diff_runs

    found = diff_runs(old, new, runs_folder=runs_folder)
    if as_json:
        print_json(found.as_json())
    else:
        click.echo("\n\n".join(_sections(found)))


def _sections(found: RunsDiff) -> Iterator[str]:
    from cnnpipe.cli._runs import _tables as tables

    header = (f"A {found.old}", f"B {found.new}")
    yield _changes(found.changes, header)
    if found.scores:
        yield tables.scores_table(found.scores, header)
    told = [*found.notes, *([tables.paired_line(found.paired)] if found.paired else [])]
    yield "\n".join([*told, *(["The weights of both models are bit-identical."] if found.same_weights else [])])
    yield tables.facts_table("run", found.times, header)
    yield (
        tables.facts_table("environment", found.facts, header)
        if found.facts
        else "Data, versions, hardware and plugins are equal."
    )


def _changes(changes: tuple[Change, ...], header: tuple[str, str]) -> str:
    from cnnpipe.report.tables import table

    if not changes:
        return "The recipes are equal in every value."
    rows = [(change.path, _value(change.old, change.old_by), _value(change.new, change.new_by)) for change in changes]
    return table(("recipe", *header), rows, left=("recipe", *header))


def _value(value: Any, who: str) -> str:
    """Return a value with who set it; of a long section its beginning."""
    from cnnpipe.cli._runs._tables import cut
    from cnnpipe.recipe.difference import shown

    said = {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else value
    return f"{cut(shown(said))} ({who})" if who else shown(said)
