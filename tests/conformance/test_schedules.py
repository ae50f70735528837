"""Every schedule has the names and defaults of the Keras class that it is, and does what that class does."""

import inspect
from types import SimpleNamespace

import pytest

from cnnpipe.registry import room

ROOM = room("schedules")
NEEDED = {
    "cosine_decay_restarts": {"first_decay_steps": 5}, "exponential_decay": {"decay_rate": 0.5},
    "inverse_time_decay": {"decay_rate": 2.0}, "piecewise_constant_decay": {"boundaries": (3,), "values": (0.1, 0.02)},
}  # fmt: skip
OWN = {"one_cycle"}
GIVEN = {"name", "initial_learning_rate", "monitor", "mode", "verbose", "kwargs"}


@pytest.fixture(scope="module")
def keras():
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    return keras


def spec(name):
    return ROOM.load(name)(**NEEDED.get(name, {}))


def rates(schedule, steps):
    return [float(schedule(step)) for step in range(steps + 1)]


def test_there_are_schedules():
    assert len(ROOM.names()) >= 8


@pytest.mark.parametrize("name", sorted(set(ROOM.names()) - OWN))
def test_names_and_defaults_are_those_of_keras(keras, name):
    made = spec(name)
    home = keras.callbacks if hasattr(keras.callbacks, made.keras_class) else keras.optimizers.schedules
    theirs = inspect.signature(getattr(home, made.keras_class)).parameters
    fields = {key: field for key, field in type(made).model_fields.items() if key != "type"}
    assert set(fields) == set(theirs) - GIVEN
    for key, field in fields.items():
        if theirs[key].default is not inspect.Parameter.empty:
            assert field.default == theirs[key].default
        else:  # Keras wants it; the whole phase is what can be told without
            assert field.is_required() or (key, field.default) == ("decay_steps", None)


@pytest.mark.parametrize("name", sorted(set(ROOM.names()) - {"reduce_lr_on_plateau"}))
def test_it_is_built_for_a_phase_and_stays_positive(name):
    found = rates(spec(name).build(0.1, 12), 12)
    assert all(0 <= rate <= 0.1 + 1e-7 for rate in found)
    assert found[-1] < max(found)


def test_a_fall_takes_what_the_warm_up_leaves():
    found = rates(ROOM.load("cosine_decay")(warmup_target=0.2, warmup_steps=4).build(0.1, 12), 12)
    assert found[0] == pytest.approx(0.1)
    assert max(found) == found[4] == pytest.approx(0.2)
    assert found[12] == pytest.approx(0, abs=1e-7)


def test_one_cycle_rises_to_the_rate_of_the_optimizer_and_falls_far_below():
    found = rates(ROOM.load("one_cycle")().build(0.1, 20), 20)
    assert found[0] == pytest.approx(0.004)
    assert found[6] == max(found) == pytest.approx(0.1)
    assert found[:7] == sorted(found[:7])
    assert found[6:] == sorted(found[6:], reverse=True)
    assert found[20] == pytest.approx(4e-7, rel=1e-3)


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("cooldown", [0, 2])
def test_a_plateau_is_that_of_keras(keras, higher_is_better, cooldown):
    values = [0.5, 0.6, 0.6, 0.60005, 0.59, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1]
    mine = ROOM.load("reduce_lr_on_plateau")(factor=0.5, patience=2, cooldown=cooldown, min_lr=0.011)
    theirs = keras.callbacks.ReduceLROnPlateau(
        monitor="value", mode="max" if higher_is_better else "min", factor=0.5, patience=2, cooldown=cooldown,
        min_lr=0.011,
    )  # fmt: skip
    optimizer = keras.optimizers.SGD(0.1)
    theirs.set_model(SimpleNamespace(optimizer=optimizer))
    theirs.on_train_begin()
    rate, state, lowered = mine.build(0.1, 99), {}, set()
    for epoch, value in enumerate(values):
        rate = mine.after_epoch(rate, value, higher_is_better, state)
        theirs.on_epoch_end(epoch, {"value": value})
        assert rate == pytest.approx(float(optimizer.learning_rate))
        lowered.add(rate)
    assert len(lowered) > 2


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("cosine_decay", {"warmup_target": 0.2, "warmup_steps": 12}),
        ("cosine_decay", {"warmup_target": 0.2, "warmup_steps": 6, "decay_steps": 7}),
        ("cosine_decay_restarts", {"first_decay_steps": 12}),
        ("polynomial_decay", {"decay_steps": 13}),
        ("piecewise_constant_decay", {"boundaries": (12,), "values": (0.1, 0.01)}),
    ],
)
def test_what_a_phase_never_reaches_is_a_warning(name, fields):
    assert list(ROOM.load(name)(**fields).warnings(12))
    assert not list(ROOM.load(name)(**fields).warnings(14))
