"""Frozen, strict specs: the typed form of a piece of recipe."""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError
from typing_extensions import Self


class Spec(BaseModel):
    """Base of everything that a recipe can hold. Frozen; unknown keys are errors; no value is converted in silence.

    Raises:
        pydantic.ValidationError: With one entry for each mistake, unknown keys as `unknown_key` with the known ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    also_called: ClassVar[tuple[str, ...]] = ()
    """What other tools call a component of this type, or the nearest that they have; for hints in error messages."""

    def ignored_keys(self) -> dict[str, str]:
        """Return keys that have no effect beside the others, each with the reason as in `because pool is none`.

        One that is not at its default is an error: a recipe must not promise what does not happen.
        """
        return {}

    @classmethod
    def meant_by(cls, word: str) -> Mapping[str, Any]:
        """Return the options with which this type is what other tools call `word`; for hints in error messages."""
        return {}

    @classmethod
    def also_needed(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Return keys that are missing beside the given ones though they have a default; reported as missing."""
        return ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        for name, description in field_descriptions(cls).items():
            schema["properties"][name]["description"] = description
        return schema

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        missing = cls.also_needed(value) if isinstance(value, Mapping) else ()
        errors = [InitErrorDetails(type="missing", loc=(key,), input=value) for key in missing]
        try:
            made = handler(value)
        except ValidationError as error:
            errors += [_explained(cls, e) for e in error.errors()]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return made


def field_descriptions(spec: type[Spec]) -> dict[str, str]:
    """Return what the text below each field says.

    Read from the source when it is asked for: pydantic's own option reads all sources at every start.
    """
    found: dict[str, str] = {}
    for base in reversed([base for base in spec.__mro__ if issubclass(base, Spec)]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        for field, text in itertools.pairwise(getattr(tree, "body", ())):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                if isinstance(text.value, ast.Constant) and field.target.id in spec.model_fields:
                    found[field.target.id] = inspect.cleandoc(str(text.value.value))
    return found


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
    same_letters = [other for other in known if sorted(other) == sorted(word.lower())]
    found = same_letters or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None


class FilePath:
    """Marks a text field that names a file or folder: `path: RecipePath`."""


RecipePath = Annotated[str, FilePath(), Field(min_length=1)]
"""A path in a recipe. Relative ones belong to the file that says them; a loaded recipe holds it absolute."""
