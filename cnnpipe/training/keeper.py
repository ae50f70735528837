"""What happens between steps and epochs of a training: judging, keeping, stopping, telling."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.recipe.schema import EarlyStopping
from cnnpipe.runs import Run
from cnnpipe.task import Metric
from cnnpipe.training import history
from cnnpipe.training.checkpoints import Progress, save_best, save_state
from cnnpipe.training.interrupt import InterruptedRun

if TYPE_CHECKING:
    import keras
    import numpy as np

SAVE_SECONDS = 300
"""How much work a kill may cost when an epoch is long."""


@dataclass
class Keeper:
    """The callbacks of `fit`.

    Args:
        model: What is trained.
        run: Where everything is kept.
        progress: How far the training is; changed in place.
        epochs: Epochs of the recipe.
        headline: The metric that decides.
        validate: Returns that metric on the validation split.
        early_stopping: When to stop early.
        listener: Hears of every call.
        interrupted: Tells whether the user wants to stop.
        sums: Sums of metrics of the epoch inside which the training goes on.
    """

    model: keras.Model
    run: Run
    progress: Progress
    epochs: int
    headline: Metric
    validate: Callable[[], float]
    early_stopping: EarlyStopping | None
    listener: Listener
    interrupted: Callable[[], bool]
    sums: Sequence[np.ndarray] = ()
    _clock: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)

    def callback(self) -> keras.callbacks.Callback:
        """Return the Keras callback."""
        import keras

        return keras.callbacks.LambdaCallback(
            on_epoch_begin=self.begin_epoch, on_train_batch_end=self.end_execution, on_epoch_end=self.end_epoch
        )

    def begin_epoch(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Put back the sums of a half epoch, which `fit` has just reset."""
        for variable, value in zip(self.model.metrics_variables if self.sums else (), self.sums, strict=True):
            variable.assign(value)
        self.sums = ()

    def end_execution(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Count the steps of one call, tell them, and save when asked to or when it was long ago."""
        progress, pace = self.progress, self.progress.pace
        progress.step += pace.steps_per_execution
        values = {name: float(value) for name, value in logs.items()}
        self._check_finite(values.get("loss", 0.0))
        self.listener.progress(progress.step, self.epochs * pace.steps_per_epoch, values)
        if progress.step % pace.steps_per_epoch == 0:
            return  # the end of the epoch saves
        if self.interrupted() or time.monotonic() - self._saved > SAVE_SECONDS:
            self._save(inside_epoch=True)
        self._stop_if_interrupted()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Judge the epoch on the validation split, keep it when it is the best, and save."""
        value = self.validate()
        if self._improves(value):
            save_best(self.run, self.model)
        self._tick()
        history.append_row(self.run, {
            "epoch": epoch + 1, "step": self.progress.step, **{name: float(number) for name, number in logs.items()},
            f"validation_{self.headline.name}": value,
            "learning_rate": float(self.model.optimizer.learning_rate), "seconds": round(self.progress.seconds, 3),
        })  # fmt: skip
        self._save(inside_epoch=False)
        self._stop_if_interrupted()
        self.model.stop_training = self.progress.stopped

    def _improves(self, value: float) -> bool:
        """Take note of the epoch's value; return whether it is the best. Of equal epochs the later, as it saw more."""
        progress, sign = self.progress, 1 if self.headline.higher_is_better else -1
        gain = math.inf if progress.best is None else sign * (value - progress.best)
        rule = self.early_stopping
        progress.waited = 0 if rule and gain > rule.min_delta else progress.waited + 1
        progress.stopped = rule is not None and progress.waited >= rule.patience
        if gain >= 0:
            progress.best, progress.best_epoch = value, progress.epochs
        return gain >= 0

    def _check_finite(self, loss: float) -> None:
        if math.isfinite(loss):
            return
        epoch = 1 + (self.progress.step - 1) // self.progress.pace.steps_per_epoch
        rate = float(self.model.optimizer.learning_rate)
        raise ProblemError(Problem(
            f"the loss became {loss} in epoch {epoch} of {self.epochs}, at learning rate {rate:g}",
            path="training.optimizer.learning_rate",
            hint="Use a smaller learning rate; a tenth is a good start.",
        ))  # fmt: skip

    def _stop_if_interrupted(self) -> None:
        if self.interrupted():
            epoch = min(self.progress.epochs + 1, self.epochs)
            raise InterruptedRun(Problem(
                f"interrupted in epoch {epoch} of {self.epochs}; everything up to step {self.progress.step} is saved",
                hint=f"Go on with `cnnpipe train --resume {self.run.folder}`.",
            ))  # fmt: skip

    def _save(self, inside_epoch: bool) -> None:
        self._tick()
        save_state(self.run, self.model, self.progress, inside_epoch)
        self._saved = time.monotonic()

    def _tick(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now
