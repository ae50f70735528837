"""KerasTuner without Keras: its oracles use neither Keras nor TensorFlow, but importing it imports both, for seconds.

To be imported before it, in a process of its own: stands in for both.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any


class _Anything(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class Nothing(metaclass=_Anything):
    """Whatever Keras has, classes and decorators too."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        pass

    def __call__(self, decorated: Any) -> Any:
        return decorated


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class _Finder:
    """Finds an empty module for every name below Keras and TensorFlow."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in ("keras", "tensorflow"):
            return None
        return importlib.machinery.ModuleSpec(name, _Finder, is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    @staticmethod
    def exec_module(module: types.ModuleType) -> None:
        names: Sequence[str] = ()
        module.__dict__["__all__"] = names


sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
import keras  # noqa: E402
import tensorflow  # noqa: E402, F401

keras.version = lambda: "3.15.1"  # type: ignore[attr-defined]
keras.config = types.SimpleNamespace(backend=lambda: "numpy")  # type: ignore[attr-defined]
keras.__all__ = [  # type: ignore[attr-defined]
    "Input", "Model", "Sequential", "activations", "applications", "callbacks", "layers", "losses", "metrics", "models",
    "optimizers", "saving", "utils",
]  # fmt: skip


def _serialized(made: Any) -> dict[str, Any]:
    return {"class_name": type(made).__name__, "config": made.get_config()}


def _deserialized(config: dict[str, Any], custom: Any, known: dict[str, Any]) -> Any:
    return known[config["class_name"]].from_config(config["config"])


keras.utils = types.SimpleNamespace(  # type: ignore[attr-defined]
    serialize_keras_object=_serialized, deserialize_keras_object=_deserialized
)
