"""Heads: specs that turn features into a network's outputs. One file per head."""

from __future__ import annotations

from cnnpipe.registry import Room
from cnnpipe.spec import Spec


class Head(Spec):
    """Base of all heads. Each defines its own `expand`: what a head needs to know differs."""

    type: str


ROOM = Room("heads", Head)
