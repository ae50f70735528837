"""Print the script that completes commands, options and recipe names in your shell.

Put its output where your shell reads it; the examples do.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cnnpipe.cli._command import make_command


@make_command(
    __doc__,
    examples=[
        "cnnpipe completion bash >> ~/.bashrc",
        "cnnpipe completion zsh >> ~/.zshrc",
        "cnnpipe completion fish > ~/.config/fish/completions/cnnpipe.fish",
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "cnnpipe", "_CNNPIPE_COMPLETE").source())
