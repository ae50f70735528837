"""Reads a text file that a person wrote, or says in one sentence why it cannot be read."""

from __future__ import annotations

import re
import stat
from pathlib import Path as File

from cnnpipe.errors import Place, Problem, ProblemError

MAX_BYTES = 1_000_000

_UTF_8 = "Save it as UTF-8 text."
_WIDE = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_text(file: File, shown: str) -> str:
    """Return the content of a UTF-8 text file of at most `MAX_BYTES`; `shown` is how problems name it.

    Raises:
        ProblemError: It is missing, a folder, not readable, too large, binary, or in another encoding.
    """
    top = Place(shown, 1, 1)
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ProblemError(Problem("this is a folder, not a recipe file", top, hint=_inside(file)))
        if not stat.S_ISREG(status.st_mode):
            raise ProblemError(Problem("this is not a regular file", top))
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size / 1e6:,.1f} MB"
            raise ProblemError(
                Problem(
                    f"the file has {size}, and a recipe at most {MAX_BYTES // 1_000_000} MB",
                    top,
                    hint="Is this the right file?",
                )
            )
        data = file.read_bytes()
    except FileNotFoundError:
        raise ProblemError(Problem("there is no such file", top, hint=hint_beside(file))) from None
    except PermissionError:
        raise ProblemError(Problem("no permission to read this file", top)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProblemError(Problem(f"the file cannot be read ({reason})", top)) from None
    return _decoded(data, shown)


def _decoded(data: bytes, shown: str) -> str:
    top = Place(shown, 1, 1)
    for mark, name in _WIDE:
        if data.startswith(mark):
            raise ProblemError(Problem(f"the file is written in {name}", top, hint=_UTF_8))
    nul = data.find(b"\x00")
    if nul >= 0:
        raise ProblemError(
            Problem(
                f"this is not a text file (byte {nul + 1} is zero)",
                top,
                hint="Is this the right file? A recipe is UTF-8 text.",
            )
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        byte = data[error.start]
        raise ProblemError(
            Problem(
                f"byte {error.start + 1} (0x{byte:02X}, '{bytes([byte]).decode('latin-1')}' in Latin-1) is not UTF-8"
                if byte >= 0xA0
                else f"byte {error.start + 1} (0x{byte:02X}) is not UTF-8",
                Place(shown, line, column),
                hint=_UTF_8,
            )
        ) from None
    control = _CONTROL.search(text)
    if control:
        before = text[: control.start()]
        place = Place(shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise ProblemError(Problem(f"holds an invisible character (code {ord(control[0])})", place, hint="Delete it."))
    return text


def _inside(folder: File) -> str:
    found = sorted(file.name for file in folder.glob("*.yaml"))[:3]
    return f"It holds {', '.join(found)}." if found else ""


def hint_beside(file: File) -> str:
    """Return a hint that names the file beside a missing one that was probably meant; may be empty."""
    folder = file.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    import difflib

    found = difflib.get_close_matches(file.name, [other.name for other in folder.glob("*.y*ml")], n=1, cutoff=0.6)
    return f"Did you mean '{folder / found[0]}'?" if found else ""
