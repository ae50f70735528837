"""Which epoch is the best, and when a training stops early, for metrics of both directions."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cnnpipe.events import Listener
from cnnpipe.recipe.schema import EarlyStopping, Training
from cnnpipe.task import Metric
from cnnpipe.training.keeper import Keeper
from cnnpipe.training.progress import Progress

RULE = EarlyStopping(patience=2)


def keeper(higher_is_better: bool = True, rule: EarlyStopping | None = RULE) -> Keeper:
    metric, training = Metric("value", higher_is_better), Training(epochs=9, early_stopping=rule)
    nothing = cast(Any, None)
    return Keeper(
        nothing, nothing, nothing, Progress(), training, metric, nothing, nothing, Listener(), lambda: False, nothing
    )


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_best_epoch_is_the_one_with_the_best_value_in_the_direction_of_the_metric(higher_is_better: bool) -> None:
    kept, sign = keeper(higher_is_better), 1 if higher_is_better else -1
    for value in (1.0, 3.0, 2.0):
        kept.progress.epochs += 1
        kept._improves(sign * value)
    assert (kept.progress.best, kept.progress.best_epoch, kept.progress.stopped_early(RULE)) == (sign * 3.0, 2, False)
    kept.progress.epochs += 1
    kept._improves(sign * 2.5)
    assert (kept.progress.best_epoch, kept.progress.stopped_early(RULE)) == (2, True)


def test_small_gains_add_up_to_an_improvement() -> None:
    kept = keeper(rule=EarlyStopping(patience=2, min_delta=0.25))
    waited = []
    for value in (1.0, 1.125, 1.25, 1.375, 1.5, 1.625):
        kept._improves(value)
        waited.append(kept.progress.waited)
    assert waited == [0, 1, 2, 0, 1, 2]


def test_a_training_may_go_on_with_early_stopping() -> None:
    kept = keeper(rule=None)
    for value in (1.0, 2.0, 3.0, 3.0):
        kept._improves(value)
    assert kept.progress.waited == 1
