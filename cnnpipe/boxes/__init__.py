"""Arithmetic of boxes: plain functions on arrays of numpy and on tensors of Keras alike.

Functions that take `ops` compute with that library: `numpy`, unless told `keras.ops`. Boxes are `xyxy` (left, top,
right, bottom) in pixels, or `center_xywh` (column and row of the middle, width, height), by Keras's names. A box of
zeros is an empty one, and has no overlap with anything.
"""
