"""Frozen, strict specs: the typed form of a piece of recipe."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import Self


class Spec(BaseModel):
    """Base of everything that a recipe can hold. Frozen; unknown keys are errors; no value is converted in silence.

    Raises:
        pydantic.ValidationError: With one entry for each mistake, unknown keys as `unknown_key` with the known ones.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [_explained(cls, e) for e in error.errors()]
            ) from None


def _explained(cls: type[Spec], error: Any) -> InitErrorDetails:
    kind, location, received = error["type"], error["loc"], error["input"]
    if kind == "extra_forbidden":
        known = [name for name in cls.model_fields if name != "type"]
        custom = PydanticCustomError("unknown_key", "unknown key '{key}'", {"key": str(location[-1]), "known": known})
        return InitErrorDetails(type=custom, loc=location, input=received)
    if "url" not in error:  # raised by our own code: keep it as it is
        custom = PydanticCustomError(kind, error["msg"].replace("{", "{{").replace("}", "}}"), error.get("ctx"))
        return InitErrorDetails(type=custom, loc=location, input=received)
    return InitErrorDetails(type=kind, loc=location, input=received, ctx=error.get("ctx", {}))


def nearest(word: str, known: list[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None


class FilePath:
    """Marks a text field that names a file or folder: `path: RecipePath`."""


RecipePath = Annotated[str, FilePath()]
"""A path in a recipe. Relative ones belong to the file that says them; a loaded recipe holds it absolute."""
