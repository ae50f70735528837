"""XML files as plain elements that know their lines. Entities are refused: annotations need none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from cnnpipe.errors import Place, Problem, ProblemError


@dataclass(slots=True)
class Element:
    """An element with what stands in it.

    Args:
        tag: Its name.
        file: Where it stands.
        line: Where it begins, from 1.
        column: Where it begins, from 1.
        words: Its text.
        inner: The elements in it.
    """

    tag: str
    file: str
    line: int
    column: int
    words: list[str] = field(default_factory=list)
    inner: list[Element] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where it begins."""
        return Place(self.file, self.line, self.column)

    def children(self, tag: str) -> Iterator[Element]:
        """Yield the elements of this name right in it."""
        return (element for element in self.inner if element.tag == tag)

    def text(self, tag: str) -> str:
        """Return the stripped text of the first element of this name right in it; empty when there is none."""
        return next(("".join(element.words).strip() for element in self.children(tag)), "")

    def place_of(self, tag: str) -> Place:
        """Return where the first element of this name begins; its own place when there is none."""
        return next((element.place for element in self.children(tag)), self.place)


def parsed(file: Path) -> Element:
    """Return the outermost element of a file.

    Raises:
        ProblemError: It cannot be read, or is no XML; says where.
    """
    shown = str(file)
    outer = Element("", shown, 1, 1)
    open_elements = [outer]
    parser = expat.ParserCreate()

    def start(tag: str, attributes: Any) -> None:
        element = Element(tag, shown, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        open_elements[-1].inner.append(element)
        open_elements.append(element)

    def entity(*declaration: Any) -> None:
        place = Place(shown, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        raise ProblemError(Problem("the file declares entities, which annotations need not", place))

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: open_elements.pop()
    parser.CharacterDataHandler = lambda words: open_elements[-1].words.append(words)
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(file.read_bytes(), True)
    except expat.ExpatError as error:
        where = Place(shown, error.lineno, error.offset + 1)
        raise ProblemError(Problem(f"this is no XML ({expat.ErrorString(error.code)})", where)) from None
    except OSError as error:
        raise ProblemError(Problem(f"{file} cannot be read ({error.strerror})")) from None
    return outer.inner[0]
