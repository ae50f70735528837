"""A door: makes the top-level folder `recipes/` part of the package in wheel, editable install and checkout."""

from cnnpipe.locations import checkout_folder

if _folder := checkout_folder("recipes"):
    __path__.append(str(_folder))
