"""What a bundle holds beside the file for one kind of client, and whether it still is what the bundle makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import cast

from cnnpipe import __version__
from cnnpipe.attachments import Attachment
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest
from cnnpipe.registry import room
from cnnpipe.targets import Target


def attachments(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
    """Return the contents of all attachments of the bundle's target, by their names in the bundle.

    Raises:
        ProblemError: The target is not known here, an attachment cannot be made, or two write the same file.
    """
    found: dict[str, bytes] = {}
    for name in target_class(manifest).attachments:
        attachment = cast(Attachment, room("attachments").load(name).model_validate({"type": name}))
        for file, content in attachment.files(folder, manifest).items():
            if file in found or PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
                raise ProblemError(Problem(f"the attachment '{name}' may not write {file}"))
            found[file] = content
    return found


def write_attachments(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Write the attachments of a bundle whose file, labels and samples are there, and return their names in it."""
    contents = attachments(folder, manifest)
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tuple(contents)


def changed_attachments(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Yield the attachments that are not what the rest of the bundle gives: another label, operator, scale or byte.

    Those of a bundle that another version of cnnpipe wrote may read otherwise: see `held_by_sha256`.
    """
    if held_by_sha256(manifest):
        return
    for name, content in attachments(folder, manifest).items():
        file = folder / name
        if file.is_file() and file.read_bytes() != content:
            yield Problem(f"{name} contradicts the rest of the bundle: {_first_difference(file.read_bytes(), content)}")
        elif not file.is_file():
            yield Problem(f"{name} is missing, which a bundle for {manifest.target} has")


def held_by_sha256(manifest: Manifest) -> tuple[str, ...]:
    """Return in a sentence that attachments are held by their sha256 alone; nothing where they can be made again."""
    if manifest.cnnpipe == __version__:
        return ()
    return (
        f"cnnpipe {manifest.cnnpipe} wrote what is beside the file, and {__version__} may write it otherwise: "
        "it is held by its sha256 alone.",
    )


def target_class(manifest: Manifest) -> type[Target]:
    """Return the class of a bundle's target.

    Raises:
        ProblemError: The target is not known here.
    """
    here = room("targets")
    if manifest.target not in here.files():
        hint = "Perhaps it was made with plugins that are not given now."
        raise ProblemError(Problem(f"the target '{manifest.target}' is not known here", hint=hint))
    return cast(type[Target], here.load(manifest.target))


def _first_difference(found: bytes, wanted: bytes) -> str:
    here, there = found.decode(errors="replace").splitlines(), wanted.decode(errors="replace").splitlines()
    for number, (one, other) in enumerate(zip(here, there, strict=False), start=1):
        if one != other:
            return f"line {number} is '{_short(one)}' instead of '{_short(other)}'"
    return f"it has {len(here)} lines instead of {len(there)}"


def _short(line: str) -> str:
    return line.strip() if len(line.strip()) <= 80 else f"{line.strip()[:77]}..."
