"""Prepares a data set of TensorFlow Datasets. Runs in a process of its own: it loads TensorFlow."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from cnnpipe.datasets.tfds import NOTES, root_of
from cnnpipe.errors import Problem, ProblemError


def prepare(name: str, data_dir: Path | None, manual_dir: Path | None, online: bool) -> None:
    """Prepare a data set, and write beside it what was decided.

    Raw files in `manual_dir` whose checksums are not the registered ones are taken as they are, which becomes a note:
    files that were compressed again hold the same data. They are unpacked into a folder of their own, because the
    usual one is shared by file name: another data set's `train-images-idx3-ubyte.gz` would be taken for this one's.

    Args:
        name: Its name, with configuration and version.
        data_dir: Where it goes; None for TensorFlow Datasets' own folder.
        manual_dir: Where raw files are.
        online: Whether downloads may be tried; without a network each would be tried for minutes.

    Raises:
        ProblemError: What TensorFlow Datasets says.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=data_dir)
    notes = _accept_files(builder, manual_dir) if manual_dir else []
    if not online:
        _cut_network()
    root = root_of(builder)
    root.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".unpacked-") as unpacked:
            config = tfds.download.DownloadConfig(manual_dir=manual_dir, extract_dir=unpacked)
            builder.download_and_prepare(download_config=config)
    except Exception as error:  # each data set has its own program, which raises what it likes
        lines = str(error).strip().splitlines() or [type(error).__name__]
        message = f"'{name}' could not be prepared ({lines[0].rstrip('.: ')})"
        raise ProblemError(Problem(message, path="data.source", hint=" ".join(lines[1:4]).strip())) from None
    notes.append(f"{builder.info.full_name} was prepared in {builder.data_dir}.")
    Path(builder.data_dir, NOTES).write_text(json.dumps(notes, indent=1), encoding="utf-8")


def _accept_files(builder: Any, manual_dir: Path) -> list[str]:
    """Register the checksums of the files that are there; return a note for each that is not the registered one."""
    from etils import epath
    from tensorflow_datasets.core.download.checksums import compute_url_info

    notes = []
    for url, wanted in list(builder.url_infos.items()):
        file = manual_dir / wanted.filename if wanted.filename else None
        if file is None or not file.is_file():
            continue
        found = compute_url_info(epath.Path(file))
        if (found.size, found.checksum) != (wanted.size, wanted.checksum):
            builder.url_infos[url] = found
            notes.append(
                f"{file} is not the file that TensorFlow Datasets registered for {builder.info.full_name}: sha256 "
                f"{found.checksum} ({int(found.size):,} bytes) instead of {wanted.checksum} ({int(wanted.size):,} "
                "bytes). It was taken as it is; compressed again, it may hold the same data."
            )
    return notes


def _cut_network() -> None:
    """Let every download fail at once and say which."""
    import requests

    def get(session: requests.Session, url: str, **options: Any) -> NoReturn:
        raise ConnectionError(f"{url} is needed, and the network cannot be reached")

    requests.Session.get = get  # type: ignore[method-assign,assignment]
