"""Fitting a model: phases, callbacks, checkpoints, resume."""

from cnnpipe.training.changes import allowed_changes, stretched_schedule
from cnnpipe.training.checkpoints import progress_of
from cnnpipe.training.interrupt import InterruptedRun
from cnnpipe.training.loop import FitResult, deployed_model, fit, follow
from cnnpipe.training.saving import save_model
from cnnpipe.training.seeds import make_deterministic

__all__ = [
    "FitResult",
    "InterruptedRun",
    "allowed_changes",
    "deployed_model",
    "fit",
    "follow",
    "make_deterministic",
    "progress_of",
    "save_model",
    "stretched_schedule",
]
