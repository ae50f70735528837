"""Field types that blocks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cnnpipe.spec import Spec


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _check_size(value: Any) -> Any:
    if _whole(value, 1) or (isinstance(value, tuple) and value and all(_whole(item, 1) for item in value)):
        return value
    raise PydanticCustomError("size", "expected a whole number above 0, or a list of one per axis")


def _check_padding(value: Any, words: Sequence[str] = ("same", "valid", "causal")) -> Any:
    known = value in words if isinstance(value, str) else _whole(value, 0)
    if known or (isinstance(value, tuple) and value and all(_is_pair(item) for item in value)):
        return value
    message = f"expected {', '.join(words)}, a whole number, or a list of [before, after] per axis"
    raise PydanticCustomError("padding", message, {"known": list(words)})


def _check_pool_padding(value: Any) -> Any:
    return _check_padding(value, ("same", "valid"))


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(_whole(item, 0) for item in value)


Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Sizes = Annotated[Positive | tuple[Positive, ...], BeforeValidator(_check_size)]
"""One number for every spatial axis, or a list of one per axis."""
Paddings = Annotated[
    Literal["same", "valid", "causal"] | NotNegative | tuple[tuple[NotNegative, NotNegative], ...],
    BeforeValidator(_check_padding),
]
"""`same` (TensorFlow's meaning), `valid`, `causal` (1D), so many zeros at each side, or (before, after) per axis."""
PoolPadding = Literal["same", "valid"]
PoolPaddings = Annotated[
    PoolPadding | NotNegative | tuple[tuple[NotNegative, NotNegative], ...], BeforeValidator(_check_pool_padding)
]
"""`same`, `valid`, so many zeros at each side, or (before, after) per axis."""


class NormalizationOptions(Spec):
    """Options of batch normalization where they differ from Keras's defaults."""

    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Share of the old moving statistics that each training step keeps."""
    epsilon: Annotated[float, Field(gt=0)] = 1e-3
    """Added to the variance."""


def _check_normalize(value: Any) -> Any:
    if isinstance(value, bool | dict | NormalizationOptions):
        return value
    raise PydanticCustomError("normalize", "expected true or false, or a mapping with momentum or epsilon")


Normalize = Annotated[bool | NormalizationOptions, BeforeValidator(_check_normalize)]
"""Whether to normalize batches, or with which options."""
