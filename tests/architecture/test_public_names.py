"""What the package offers is what `__all__` says, and all of it is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import cnnpipe

PACKAGES = ["cnnpipe", *(f"cnnpipe.{info.name}" for info in pkgutil.iter_modules(cnnpipe.__path__) if info.ispkg)]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert getattr(module, public) is not None


def test_every_job_is_offered_and_documented() -> None:
    assert sorted(cnnpipe.__all__) == sorted(set(cnnpipe.__all__))
    for name in cnnpipe.__all__:
        thing = getattr(cnnpipe, name)
        if callable(thing):
            assert inspect.getdoc(thing), name
            if inspect.isfunction(thing):
                assert "return" in thing.__annotations__, name
    assert {"run", "load_recipe", "build_model", "train", "evaluate", "export", "predict"} <= set(cnnpipe.__all__)
