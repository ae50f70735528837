"""The search for the best recipe: what candidates would take, the study on the disk, trials in processes of their own.

The algorithms themselves are components, in `cnnpipe/algorithms`; what may vary is in `cnnpipe/recipe/space.py`.
"""
