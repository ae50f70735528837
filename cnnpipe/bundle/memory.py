"""What a written file takes of a device's memory, as the runtimes of its target tell it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from cnnpipe.bundle.workers import RUNTIME_SECONDS
from cnnpipe.child import Child
from cnnpipe.manifest import Memory
from cnnpipe.registry import room
from cnnpipe.runtimes import Runtime
from cnnpipe.targets import Target


def arena_of(device: Target, file: Path, runtime: Child) -> Memory | None:
    """Return what a file takes of the arena of a device's runtime; None for a device without one.

    Args:
        device: The target.
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
