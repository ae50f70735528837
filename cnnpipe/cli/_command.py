"""What all commands share: the decorator that makes one, and the options that several take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

PLUGINS, DEBUG, JSON = "cnnpipe.plugins", "cnnpipe.debug", "cnnpipe.json"


class Command(click.Command):
    """A command whose help ends with examples, and which takes the common options."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples
        self.params += common_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Take the plugin folders as rooms, then run the command."""
        if folders := given_plugins(ctx):
            from cnnpipe.registry import add_plugins

            for folder in folders:
                add_plugins(folder)
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def make_command(
    help: str | None, *, examples: Sequence[str], kind: type[Command] = Command
) -> Callable[[Callable[..., None]], Command]:
    """Make a function the command of its file. `help` is the file's docstring; its first line is the short help."""

    def make(function: Callable[..., None]) -> Command:
        name = function.__module__.rpartition(".")[2].replace("_", "-")
        return click.command(name, cls=kind, help=help, examples=examples)(function)

    return make


def common_options() -> list[click.Parameter]:
    """Return new options that stand both before and after the command's name."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    plugins = click.Option(
        ["--plugins"], multiple=True, type=folder, metavar="DIR", is_eager=True, expose_value=False,
        callback=_add_folders,
        help="Folder laid out as the package's rooms (blocks/, pipelines/, ...) whose files join in. Repeatable.",
    )  # fmt: skip
    debug = click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_remember(DEBUG),
        help="Show the traceback of a failure.",
    )
    return [plugins, debug]


def given_plugins(ctx: click.Context) -> tuple[Path, ...]:
    """Return the folders of all `--plugins` so far."""
    return tuple(ctx.meta.get(PLUGINS, ()))


def _add_folders(ctx: click.Context, parameter: click.Parameter, folders: tuple[Path, ...]) -> None:
    ctx.meta[PLUGINS] = (*given_plugins(ctx), *folders)


def _remember(key: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
        ctx.meta[key] = bool(ctx.meta.get(key)) or value
        return value

    return callback


def complete_recipes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from cnnpipe.locations import shipped_folder

    names = sorted(file.stem for file in shipped_folder("recipes").rglob("*.yaml"))
    shipped = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return [*shipped, CompletionItem(incomplete, type="file")]


recipe_argument = click.argument("recipe", shell_complete=complete_recipes)
recipes_argument = click.argument(
    "recipes", nargs=-1, required=True, metavar="RECIPE...", shell_complete=complete_recipes
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="Change one value of the recipe, such as training.epochs=5. Repeatable.",
)  # fmt: skip
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_remember(JSON),
    help="Print one JSON object on stdout and nothing else there.",
)
runs_option = click.option(
    "--runs", "runs_folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR",
    help="Folder that holds the runs.",
)  # fmt: skip
workers_option = click.option(
    "--workers", type=click.IntRange(1), metavar="N",
    help="Processes that train together; as the recipe says when left out.",
)  # fmt: skip
run_argument = click.argument("run", metavar="RUN")
