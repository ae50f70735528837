"""Facts of pictures by the digest of their content, kept so that what was seen once need not be decoded again."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe import files
from cnnpipe.errors import ProblemError
from cnnpipe.examination.pictures import THUMBNAIL, Picture

if TYPE_CHECKING:
    import numpy as np

FILE = Path(".cache", "diagnosis-1.npz")
"""Below the folder of all runs. The number changes when facts do."""
MOST = 200_000
"""How many pictures are kept, the newest: about 800 bytes each before compression."""
TEXT = 12


def load(runs_folder: Path) -> dict[str, Picture]:
    """Return the facts by digest; nothing when there are none, or when the file is damaged."""
    import numpy as np

    try:
        with np.load(runs_folder / FILE, allow_pickle=False) as stored:
            rows = stored["pictures"]
    except Exception:  # a damaged archive fails in many ways, and all mean the same: begin anew
        return {}
    if rows.dtype != _row_type():
        return {}
    names = [field.name for field in fields(Picture)]
    return {row["digest"].decode(): Picture(**{name: _plain(row[name]) for name in names}) for row in rows}


def save(runs_folder: Path, pictures: Mapping[str, Picture]) -> bool:
    """Keep the facts, and return whether that was possible; a diagnosis does not fail for its cache."""
    import numpy as np

    kept = list(pictures.items())[-MOST:]
    rows = np.array([(digest.encode(), *_stored(astuple(picture))) for digest, picture in kept], _row_type())
    stream = io.BytesIO()
    np.savez_compressed(stream, pictures=rows)
    try:
        (runs_folder / FILE).parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(runs_folder / FILE, stream.getvalue())
    except (OSError, ProblemError):
        return False
    return True


def _row_type() -> np.dtype[Any]:
    import numpy as np

    kinds = {"str": f"U{TEXT}", "int": "i8", "bytes": f"V{math.prod(THUMBNAIL)}"}
    return np.dtype([("digest", "S64"), *((field.name, kinds[str(field.type)]) for field in fields(Picture))])


def _stored(values: Iterable[Any]) -> Iterable[Any]:
    return (value[:TEXT] if isinstance(value, str) else value for value in values)


def _plain(value: Any) -> Any:
    """Return a numpy value as Python's own."""
    return value.tobytes() if value.dtype.kind == "V" else value.item()
