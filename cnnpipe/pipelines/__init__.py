"""A door: makes the top-level folder `pipelines/` part of the package in wheel, editable install and checkout."""

from cnnpipe.locations import checkout_folder
from cnnpipe.task import ROOM

if _folder := checkout_folder("pipelines"):
    __path__.append(str(_folder))

__all__ = ["ROOM"]
