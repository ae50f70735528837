"""One file per family of node types: which operators the converter makes of them, before anything is fused."""
