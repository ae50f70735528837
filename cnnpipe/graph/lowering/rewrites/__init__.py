"""What the converter folds, fuses and leaves out. One rewrite a file, called like it."""

from collections.abc import Callable

from cnnpipe.graph.lowering.draft import Draft

Rewrite = Callable[[Draft], None]
"""Changes a draft as one of the converter's passes does."""
IN_ORDER = (
    "merge_equal",
    "drop_reshapes",
    "fold_into_next",
    "fold_into_previous",
    "swap_reshapes",
    "drop_reshapes",
    "absorb_padding",
    "fuse_activations",
)
"""The passes in the order in which they work."""
