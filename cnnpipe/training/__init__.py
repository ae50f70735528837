"""Fitting a model: batches, callbacks, checkpoints, resume."""
