"""The Python API: one file a verb."""
