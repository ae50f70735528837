"""What happens between steps and epochs of a phase: judging, keeping, stopping, telling."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnpipe.cluster import ALONE, Cluster
from cnnpipe.durations import seconds_of
from cnnpipe.errors import Path, Problem, ProblemError, dotted
from cnnpipe.events import Listener
from cnnpipe.recipe.schema import Phase, Training
from cnnpipe.runs import Run
from cnnpipe.task import Metric
from cnnpipe.training import history
from cnnpipe.training.averages import averaged, averages
from cnnpipe.training.board import Board
from cnnpipe.training.checkpoints import assign, copies, save_best, save_state
from cnnpipe.training.interrupt import InterruptedRun
from cnnpipe.training.pace import Pace
from cnnpipe.training.progress import Progress
from cnnpipe.training.sharing import check_weights, shared_values, wishes

if TYPE_CHECKING:
    import keras
    import numpy as np

MOST_SECONDS = 300
"""How much work a kill may cost when an epoch is long."""
LEAST_SECONDS = 1.0
"""Epochs that are shorter share a checkpoint: a kill may cost so much of them."""


@dataclass
class Keeper:
    """The callbacks of `fit` in one phase.

    Args:
        network: The whole network.
        part: What is trained in this phase: the network, or a model of some of its layers.
        run: Where everything is kept.
        progress: How far the training is; changed in place.
        training: That section of the recipe.
        headline: The metric that decides.
        validate: Returns that metric on the validation split.
        rate: Returns the learning rate of the last update.
        listener: Hears of every call.
        interrupted: Tells whether the user wants to stop.
        board: Writes TensorBoard's files; only the chief has one.
        sums: Sums of metrics of the epoch inside which the training goes on.
        cluster: The processes that train together.
        time_is_up: Whether the recipe's `max_time` is used up, over all processes; some steps are always taken.
    """

    network: keras.Model
    part: keras.Model
    run: Run
    progress: Progress
    training: Training
    headline: Metric
    validate: Callable[[], float]
    rate: Callable[[], float]
    listener: Listener
    interrupted: Callable[[], bool]
    board: Board | None
    sums: Sequence[np.ndarray] = ()
    cluster: Cluster = ALONE
    time_is_up: bool = False
    _stop: bool = False
    _due: bool = False
    _clock: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)
    _best: Sequence[np.ndarray] = ()
    _values: Mapping[str, float] = field(default_factory=dict)
    _weights: Sequence[np.ndarray] = ()

    @property
    def phase(self) -> Phase:
        """The phase that is trained."""
        return self.training.parts[self.progress.phase]

    @property
    def pace(self) -> Pace:
        """Its pace."""
        if self.progress.pace is None:
            raise ValueError("the phase has not begun")
        return self.progress.pace

    def callback(self) -> keras.callbacks.Callback:
        """Return the Keras callback."""
        import keras

        return keras.callbacks.LambdaCallback(
            on_epoch_begin=self.begin_epoch, on_train_batch_end=self.end_execution, on_epoch_end=self.end_epoch
        )

    def begin_epoch(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Put back the sums of a half epoch, which `fit` has just reset."""
        for variable, value in zip(self.part.metrics_variables if self.sums else (), self.sums, strict=True):
            variable.assign(value)
        self.sums = ()

    def end_execution(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Count the steps of one call, tell them, and save when asked to or when it was long ago."""
        progress, pace = self.progress, self.pace
        progress.step += pace.steps_per_execution
        progress.epoch_step += pace.steps_per_execution
        self._values = shared_values(self.cluster, self.part, logs)
        self._check_finite(self._values.get("loss", 0.0))
        self.listener.progress(progress.step, self._last_step(), self._values)
        if progress.epoch_step == pace.steps_per_epoch:
            return  # the end of the epoch saves
        self.agree(MOST_SECONDS)
        if self._stop or self._due:
            self._save()
        self._stop_if_interrupted()
        self.part.stop_training = self.time_is_up  # the epoch ends here, and is judged as it is

    def agree(self, longest: float = math.inf) -> None:
        """Ask, once for all workers, whether to stop, whether the time is up, and whether to save.

        Args:
            longest: Seconds after which the state is saved again.
        """
        self._tick()
        limit = self.training.max_time
        late = limit is not None and self.progress.step > 0 and self.progress.seconds >= seconds_of(limit)
        due = time.monotonic() - self._saved > longest
        self._stop, self.time_is_up, self._due = wishes(self.cluster, self.interrupted(), late, due)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Judge the epoch on the validation split, keep it when it is the best, and save."""
        progress, rate = self.progress, self.rate()
        progress.epochs, progress.phase_epochs, progress.epoch_step = progress.epochs + 1, progress.phase_epochs + 1, 0
        check_weights(self.cluster, self.network, progress.epochs)
        with averaged(self.part):
            value = float(self.cluster.gather("score", self.validate() if self.cluster.chief else None)[0][0])
            if self._improves(value) and self.cluster.chief:
                self._best = copies(self.network.variables)
        self._weights = copies(self.part.trainable_variables) if averages(self.part) else ()
        self._change_rate(rate, value)
        self.agree(LEAST_SECONDS)
        self._keep_row(rate, value)
        self.part.stop_training = self.finished()
        if self.finished() or self._stop or self._due:
            self._save()
        self._stop_if_interrupted()

    def _keep_row(self, rate: float, value: float) -> None:
        """Write the row of an epoch."""
        if self.board is None:
            return
        progress = self.progress
        row: history.Row = {
            "epoch": progress.epochs, "step": progress.step,
            **({history.PHASE: self.phase.name} if self.training.phases else {}),
            **self._values, f"validation_{self.headline.name}": value,
            "learning_rate": rate, "seconds": round(progress.seconds, 3),
        }  # fmt: skip
        history.append_row(self.run, row)
        self.board.add(row)

    def put_back_weights(self) -> None:
        """Undo what `fit` did last: it left moving averages in the place of weights."""
        assign(self.part.trainable_variables, self._weights, self.run)

    def finished(self) -> bool:
        """Return whether the phase is at its end."""
        progress = self.progress
        stopped = progress.stopped_early(self.training.early_stopping)
        return stopped or progress.phase_epochs >= self.phase.epochs or self.time_is_up

    def _improves(self, value: float) -> bool:
        """Take note of the epoch's value; return whether it is the best. Of equal epochs the later, as it saw more.

        As in Keras, small gains add up until they are an improvement. Counted without early stopping too: a training
        may go on with it.
        """
        progress, rule = self.progress, self.training.early_stopping
        if self._gain(value, progress.phase_best) > (rule.min_delta if rule else 0):
            progress.phase_best, progress.waited = value, 0
        else:
            progress.waited += 1
        best = self._gain(value, progress.best) >= 0
        if best:
            progress.best, progress.best_epoch = value, progress.epochs
        return best

    def _gain(self, value: float, best: float | None) -> float:
        if best is None:
            return math.inf
        return value - best if self.headline.higher_is_better else best - value

    def _change_rate(self, rate: float, value: float) -> None:
        schedule = self.training.schedule_of(self.phase)
        if schedule is None:
            return
        after = schedule.after_epoch(rate, value, self.headline.higher_is_better, self.progress.schedule)
        if after != rate:
            self.part.optimizer.learning_rate = after
            self.listener.note(
                f"Lowered the learning rate after epoch {self.progress.epochs}: {rate:.3g} to {after:.3g}"
            )

    def _check_finite(self, loss: float) -> None:
        if math.isfinite(loss):
            return
        raise ProblemError(Problem(
            f"the loss became {loss} in epoch {self._where(self.progress.epochs + 1)}, at learning rate "
            f"{self.rate():g}",
            path=dotted(rate_path(self.training, self.progress.phase)),
            hint="Use a smaller learning rate; a tenth is a good start.",
        ))  # fmt: skip

    def _stop_if_interrupted(self) -> None:
        if self._stop:
            epoch = min(self.progress.epochs + 1, self.training.total_epochs)
            raise InterruptedRun(Problem(
                f"interrupted in epoch {self._where(epoch)}; everything up to step {self.progress.step} is saved",
                hint=f"Go on with `cnnpipe train --resume {self.run.folder}`.",
            ))  # fmt: skip

    def _where(self, epoch: int) -> str:
        phase = f" (phase '{self.phase.name}')" if self.training.phases else ""
        return f"{epoch} of {self.training.total_epochs}{phase}"

    def _last_step(self) -> int:
        """Return the number of the training's last step, if no phase stops early and all have this pace."""
        progress = self.progress
        later = sum(phase.epochs for phase in self.training.parts[progress.phase + 1 :])
        epochs = self.phase.epochs - progress.phase_epochs + later
        return progress.step - progress.epoch_step + epochs * self.pace.steps_per_epoch

    def _save(self) -> None:
        self._tick()
        if not self.cluster.chief:
            return
        if self._best:
            save_best(self.run, self._best)
            self._best = ()
        save_state(self.run, self.network, self.part, self.progress)
        self._saved = time.monotonic()

    def _tick(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now


def rate_path(training: Training, phase: int) -> Path:
    """Return the recipe path that says the learning rate of a phase."""
    if training.phases and training.phases[phase].learning_rate is not None:
        return ("training", "phases", phase, "learning_rate")
    if training.phases and training.phases[phase].optimizer is not None:
        return ("training", "phases", phase, "optimizer", "learning_rate")
    return ("training", "optimizer", "learning_rate")
