"""Losses that Keras lacks: plain Keras with flat arguments."""
