"""A recipe in YAML becomes a trained, measured, exported and proven convolutional network."""

__version__ = "0.1.0"
