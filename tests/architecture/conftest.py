"""Options of the tests in this folder."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-registry", action="store_true", help="write registry.json anew")
