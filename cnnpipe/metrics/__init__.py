"""Measures that Keras lacks: plain functions on arrays and tensors."""
