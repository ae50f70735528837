"""What a Python file says about itself, without importing it."""

from __future__ import annotations

import ast
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError


def first_line(file: Path) -> str:
    """Return the first docstring line of a Python file; empty when there is none.

    Raises:
        ProblemError: The file is no Python.
    """
    try:
        text = ast.get_docstring(ast.parse(file.read_bytes(), str(file))) or ""
    except (SyntaxError, ValueError) as error:
        raise ProblemError(Problem(f"{file} is not valid Python ({error})")) from None
    return text.partition("\n")[0]
