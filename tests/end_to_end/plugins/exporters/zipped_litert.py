"""A `.tflite` file in a zip archive: what a download server might want."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import Conversion, Exporter, FileFacts, Quantization, TensorType
from cnnpipe.exporters.litert import Litert

if TYPE_CHECKING:
    import numpy as np

MEMBER = "model.tflite"


class ZippedLitert(Exporter):
    """One compressed member, `model.tflite`."""

    type: Literal["zipped_litert"] = "zipped_litert"

    file_name: ClassVar[str] = "model.zip"
    types: ClassVar[Mapping[Quantization, tuple[TensorType, ...]]] = Litert.types

    def convert(self, conversion: Conversion) -> FileFacts:
        """Convert as LiteRT does, and compress."""
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / MEMBER
            facts = Litert().convert(replace(conversion, file=plain))
            member = zipfile.ZipInfo(MEMBER)  # of a fixed date: the same bytes each time
            with zipfile.ZipFile(conversion.file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(member, plain.read_bytes(), zipfile.ZIP_DEFLATED)
        return replace(facts, bytes=conversion.file.stat().st_size)

    def inspect(self, file: Path) -> FileFacts:
        """Look into the member."""
        with unpacked(file) as plain:
            return replace(Litert().inspect(plain), bytes=file.stat().st_size)

    def predict(self, file: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> Iterable[Mapping[str, np.ndarray]]:
        """Run the member."""
        with unpacked(file) as plain:
            yield from Litert().predict(plain, batches)


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """Give the member as a file."""
    try:
        with zipfile.ZipFile(file) as archive:
            content = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ProblemError(Problem(f"{file} is no archive with a {MEMBER} ({error})")) from error
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / MEMBER
        plain.write_bytes(content)
        yield plain
