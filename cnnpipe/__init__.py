"""A recipe in YAML becomes a trained, measured, exported and proven convolutional network.

The Python API is the jobs, one function a verb: `cnnpipe.run("digits")` is what `cnnpipe run digits` calls. Nothing is
imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnpipe.errors import GateError, Place, Problem, ProblemError
    from cnnpipe.events import Listener
    from cnnpipe.jobs.benchmark import benchmark
    from cnnpipe.jobs.build_model import build_model
    from cnnpipe.jobs.check import check
    from cnnpipe.jobs.describe import describe
    from cnnpipe.jobs.diff_runs import diff_runs
    from cnnpipe.jobs.doctor import doctor
    from cnnpipe.jobs.environment import environment
    from cnnpipe.jobs.evaluate import evaluate
    from cnnpipe.jobs.export import export
    from cnnpipe.jobs.inspect import inspect
    from cnnpipe.jobs.new import new
    from cnnpipe.jobs.predict import predict
    from cnnpipe.jobs.reproduce import reproduce
    from cnnpipe.jobs.run import run
    from cnnpipe.jobs.train import resume, train
    from cnnpipe.jobs.verify import verify
    from cnnpipe.recipe.load import load_recipe
    from cnnpipe.registry import add_plugins

__version__ = "0.1.0"

_HOMES = {
    "build_model": "jobs.build_model",
    "benchmark": "jobs.benchmark", "inspect": "jobs.inspect", "verify": "jobs.verify",
    "GateError": "errors", "Place": "errors", "Problem": "errors", "ProblemError": "errors",
    "Listener": "events",
    "check": "jobs.check", "describe": "jobs.describe", "doctor": "jobs.doctor",
    "environment": "jobs.environment", "evaluate": "jobs.evaluate", "export": "jobs.export",
    "new": "jobs.new", "predict": "jobs.predict", "run": "jobs.run",
    "diff_runs": "jobs.diff_runs", "reproduce": "jobs.reproduce",
    "resume": "jobs.train", "train": "jobs.train",
    "load_recipe": "recipe.load",
    "add_plugins": "registry",
}  # fmt: skip

__all__ = [
    "GateError", "Listener", "Place", "Problem", "ProblemError", "add_plugins", "benchmark", "build_model", "check",
    "describe", "diff_runs", "doctor", "environment", "evaluate", "export", "inspect", "load_recipe", "new",
    "predict", "reproduce", "resume", "run", "train", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnpipe' has no attribute '{name}'")
    return getattr(importlib.import_module(f"cnnpipe.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
