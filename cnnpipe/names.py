"""Names of examples and classes that can be kept in text files: UTF-8, and for a class one line of `labels.txt`."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.errors import Problem

LISTED = 5


def name_problems(examples: Sequence[str], classes: Sequence[str]) -> list[Problem]:
    """Return what is wrong with names that a source gives. File systems and tables allow more than a text file holds.

    Args:
        examples: Names of all examples.
        classes: Names of all classes.
    """
    problems = [
        Problem(f"the class name {name!a} {why}", path="data.source", hint="Rename the class.")
        for name in classes
        if (why := _unfit(name))
    ]
    unfit = [name for name in examples if not _is_text(name)]
    problems += [
        Problem(f"the name of {name!a} is no UTF-8 text", path="data.source", hint="Rename the file or folder.")
        for name in unfit[:LISTED]
    ]
    if len(unfit) > LISTED:
        problems.append(Problem(f"{len(unfit) - LISTED} more such names", path="data.source"))
    return problems


def _unfit(name: str) -> str:
    if not _is_text(name):
        return "is no UTF-8 text"
    return "" if len(name.splitlines()) == 1 else "is not one line, as labels.txt needs it"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # Python stands in for bytes that are no UTF-8 with lone surrogates
        return False
    return True
