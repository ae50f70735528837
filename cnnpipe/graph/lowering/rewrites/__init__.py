"""What the converter folds, fuses and leaves out. One rewrite a file, called like it."""

from collections.abc import Callable

from cnnpipe.graph.lowering.draft import Draft

Rewrite = Callable[[Draft], None]
"""Changes a draft as one of the converter's passes does."""
IN_ORDER = ("merge_equal", "fold_constants", "absorb_padding", "drop_reshapes", "fuse_activations")
"""The passes in the order in which they work."""
