"""Lowering: the LiteRT program that a graph will become, predicted without converting it.

Each node type has a rule (`rules/`) that says which operators the converter makes of it, the rewrites (`rewrites/`) say
what it then folds, fuses and leaves out, and `order` says in which order they run. All of it describes what
TensorFlow 2.21's converter was seen to do; what nobody has looked at is not predicted.
"""

from cnnpipe.graph.lowering.draft import NotPredicted
from cnnpipe.graph.lowering.file_size import predicted_file_bytes
from cnnpipe.graph.lowering.lower import lower

__all__ = ["NotPredicted", "lower", "predicted_file_bytes"]
