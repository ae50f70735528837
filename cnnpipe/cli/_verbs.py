"""Commands that also take a verb as their first word, such as `cnnpipe runs diff`. Each verb is a file in a folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from cnnpipe.cli._command import Command
from cnnpipe.docstrings import first_line


class CommandWithVerbs(Command):
    """A command `name` with the verbs whose files lie in the folder `_name`. Only the file of the verb is imported."""

    @property
    def verbs(self) -> dict[str, Path]:
        """The file of each verb."""
        folder = Path(__file__).parent / f"_{self.name}"
        return {file.stem.replace("_", "-"): file for file in sorted(folder.glob("[a-z]*.py"))}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the verb, where the first word is one, else that of the command itself."""
        if not args or args[0] not in self.verbs:
            return super().make_context(info_name, args, parent, **extra)
        module = importlib.import_module(f"cnnpipe.cli._{self.name}.{self.verbs[args[0]].stem}")
        command: Command = module.command
        return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the verbs with the first docstring line of each file."""
        super().format_options(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(f"{self.name} {verb}", first_line(file)) for verb, file in self.verbs.items()])
