"""Tables and numbers as text."""

from __future__ import annotations

import pytest

from cnnpipe.report.tables import byte_size, short_number, table


def test_a_table_is_aligned() -> None:
    text = table(("name", "n", "score"), [("a", 1000, 0.5), ("long", None, 0.25)], left=("name",))
    assert text.splitlines() == [
        "name      n   score",
        "----  -----  ------",
        "a     1,000  0.5000",
        "long      -  0.2500",
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (2_345_678, "2.35 MB"), (5.5e9, "5.5 GB")],
)
def test_byte_size(size: float, text: str) -> None:
    assert byte_size(size) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (150_528, "151 k"), (196_608_000, "197 M"), (822_083_584, "822 M"), (999_999, "1 M")],
)
def test_short_number(number: int, text: str) -> None:
    assert short_number(number) == text


def test_short_number_of_the_very_large() -> None:
    assert short_number(3 * 10**12) == "3 T"
