"""The `about` section of a recipe: what it is and where it was published, for tables; it changes nothing else."""

from __future__ import annotations

from pydantic import Field

from cnnpipe.spec import Spec


class About(Spec):
    """What a recipe is, in words that `cnnpipe list recipes` and `cnnpipe describe` show."""

    summary: str | None = Field(default=None, min_length=1, max_length=100)
    """What the recipe is, in at most 100 characters."""
    source: str | None = Field(default=None, min_length=1, max_length=60)
    """Where the network was published, in at most 60 characters, such as `Simonyan and Zisserman, table 1, D`."""
    year: int | None = Field(default=None, ge=1900, le=2100)
    """In which year it was first published."""
