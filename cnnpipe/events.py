"""How a job tells what it is doing, without knowing who listens: a terminal, a notebook, or nobody."""

from __future__ import annotations

from collections.abc import Mapping


class Listener:
    """Hears what a job does. This one is silent; a command gives one that draws."""

    def stage(self, name: str) -> None:
        """Hear that a stage began, such as `training`."""

    def note(self, text: str) -> None:
        """Hear of a decision that the user should know, one sentence."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Hear how far the current stage is, with the values of the moment."""
