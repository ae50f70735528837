"""Options of `tune` that contradict each other or cannot be are refused before anything starts."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cnnpipe.cli._group import cli


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "0"], "expected at least 1 worker (received 0). 0 is only for a chief that listens."),
        (["--workers", "0", "--join", "here:8000"], "expected at least 1 worker (received 0)"),
        (["--workers", "-1", "--listen", "here:8000"], "-1 is not in the range x>=0"),
        (["--listen", "8000"], "expected HOST:PORT, such as 192.168.1.7:8000 (received '8000')"),
        (["--join", "here:http"], "expected HOST:PORT, such as 192.168.1.7:8000 (received 'here:http')"),
        (["--join", "here:99999"], "(received 'here:99999')"),
        (["--join", "here:8000", "--listen", "here:8000"], "either listened to or joined"),
    ],
)
def test_options_that_cannot_be_are_refused(options: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["tune", "digits_tuning", *options])
    assert done.exit_code == 2 and said in done.output


def test_a_recipe_without_tuning_cannot_be_joined() -> None:
    done = CliRunner().invoke(cli, ["tune", "digits", "--join", "127.0.0.1:9"])
    assert done.exit_code == 2 and "the recipe has no section 'tuning'" in done.output
