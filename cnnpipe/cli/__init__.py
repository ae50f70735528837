"""The command line: one file a command, found by its name; files that begin with `_` are its helpers."""

from __future__ import annotations


def main() -> None:
    """Run the command line. Ctrl-C exits with 130 even while the first imports run."""
    try:
        from cnnpipe.cli._group import cli

        cli(prog_name="cnnpipe")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
