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


def keeper(higher_is_better: bool) -> Keeper:
    metric, training = Metric("value", higher_is_better), Training(epochs=9, early_stopping=RULE)
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
