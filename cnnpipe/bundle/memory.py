"""What a written file takes of a device's memory, as the runtimes of its target tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from cnnpipe.bundle.workers import RUNTIME_SECONDS
from cnnpipe.child import Child
from cnnpipe.errors import Problem
from cnnpipe.manifest import Manifest, Memory
from cnnpipe.registry import room
from cnnpipe.runtimes import Runtime
from cnnpipe.targets import Target


def arena_of(device: Target | type[Target], file: Path, runtime: Child) -> Memory | None:
    """Return what a file takes of the arena of a device's runtime; None for a device without one.

    Args:
        device: The target, or its class.
        file: The file.
        runtime: The process that runs files.

    Raises:
        ProblemError: The device's runtime refuses the file, or died on it.
    """
    for name in device.runtimes:
        found = runtime.call("cnnpipe.bundle.memory.measure", name, file, timeout=RUNTIME_SECONDS)
        if found is not None:
            return cast(Memory, found)
    return None


def measure(name: str, file: Path) -> Memory | None:
    """Return what a runtime tells of a file; None for one that is not known here. Runs in the runtime process."""
    here = room("runtimes")
    if name not in here.files():
        return None
    return cast(Runtime, here.load(name).model_validate({"type": name})).memory(file)


def changed_memory(device: type[Target], manifest: Manifest, file: Path, runtime: Child) -> Iterator[Problem]:
    """Yield what is wrong with the stated memory, where the runtime that measured it is here.

    Args:
        device: The class of the target.
        manifest: What bundle.json states.
        file: The file.
        runtime: The process that runs files.
    """
    stated = manifest.memory
    if stated is None:
        if device.has_arena:
            yield Problem(f"bundle.json does not state the arena of {file.name}, which {manifest.target} has")
        return
    if not stated.arena <= stated.recommended or stated.head + stated.tail != stated.arena:
        yield Problem(f"bundle.json contradicts itself about the memory of {file.name}: {stated.model_dump()}")
    found = arena_of(device, file, runtime)
    if found is not None and found.measured_by == stated.measured_by and found != stated:
        yield Problem(
            f"bundle.json states an arena of {stated.arena:,} bytes (head {stated.head:,}) for {file.name}; "
            f"it is {found.arena:,} (head {found.head:,})"
        )
