"""Small programs, made by hand."""

from __future__ import annotations

import pytest

from cnnpipe.program import Operator, Program, Tensor


def make_chain(*names: str, shape: tuple[int, ...] = (1, 8, 8, 4), dtype: str = "int8", **options: object) -> Program:
    """Return a program of operators one after another, all tensors of one shape; `options` are those of the last."""
    tensors = tuple(Tensor(f"t{number}", shape, dtype, scales=1) for number in range(len(names) + 1))
    operators = tuple(
        Operator(name, (at,), (at + 1,), 100, options if at == len(names) - 1 else {}, f"n{at:03d}_layer")
        for at, name in enumerate(names)
    )
    return Program(tensors, operators, (0,), (len(names),))


@pytest.fixture
def chain():
    return make_chain
