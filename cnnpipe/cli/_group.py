"""The group of all commands. Only the file of the command that is run is imported."""

from __future__ import annotations

import difflib
import os
from typing import Any

import click

from cnnpipe import __version__
from cnnpipe.cli._command import Command, common_options, given_plugins
from cnnpipe.cli._failures import report_failure
from cnnpipe.cli._files import command_files, import_command
from cnnpipe.docstrings import first_line
from cnnpipe.errors import ProblemError


class Commands(click.Group):
    """Finds a command by the name of its file, and ends every failure in one place."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all command files."""
        return list(command_files(given_plugins(ctx)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of one command."""
        file = command_files(given_plugins(ctx)).get(cmd_name)
        if file is None:
            return None
        command: Command = import_command(file).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the one that was probably meant."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            meant = f"Did you mean '{close[0]}'?" if close else f"Commands are {', '.join(known)}."
            ctx.fail(f"No command is called '{name}'. {meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands from the first docstring line of each file."""
        try:
            lines = [(name, first_line(file)) for name, file in command_files(given_plugins(ctx)).items()]
        except ProblemError as error:  # the help is shown while options are parsed, before `invoke`
            ctx.exit(report_failure(error, ctx))
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever it raises becomes a message and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except BrokenPipeError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            ctx.exit(report_failure(error, ctx))


@click.group(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "color": False if os.environ.get("NO_COLOR") else None,
        "max_content_width": 100,
    },
    params=common_options(),
    epilog="The shortest tour: cnnpipe run digits",
)
@click.version_option(__version__, prog_name="cnnpipe")
def cli() -> None:
    """Turn a recipe in YAML into a trained, measured, exported and proven network."""
