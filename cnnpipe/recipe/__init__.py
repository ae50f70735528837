"""Recipes: schema, reading, inheritance, overrides, cross-section checks."""
