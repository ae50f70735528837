"""Layers that Keras lacks: flat arguments, at home in Keras, of use without a recipe."""
