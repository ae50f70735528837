"""Weights that training starts from: where they are, known in seconds, and how they come into a network."""

from cnnpipe.pretrained.load import load_weights
from cnnpipe.pretrained.locate import Located, locate_weights, pinned

__all__ = ["Located", "load_weights", "locate_weights", "pinned"]
