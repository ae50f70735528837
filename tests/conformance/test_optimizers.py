"""Every optimizer has the names and defaults of the Keras class that it is, and builds it."""

import inspect

import pytest

from cnnpipe.registry import room

ROOM = room("optimizers")
NOT_OFFERED = {"name", "kwargs", "loss_scale_factor", "exclude_layers", "exclude_embeddings"}
NUMBERS = {"gradient_accumulation_steps": 3, "ema_overwrite_frequency": 5, "ns_steps": 4, "beta_2_decay": -0.5}
NUMBERS |= {"learning_rate_power": -0.25, "clipvalue": None, "global_clipnorm": None}


@pytest.fixture(scope="module")
def keras():
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    return keras


def test_there_are_optimizers():
    assert len(ROOM.names()) >= 13


@pytest.mark.parametrize("name", ROOM.names())
def test_names_and_defaults_are_those_of_keras(keras, name):
    spec = ROOM.load(name)()
    theirs = inspect.signature(getattr(keras.optimizers, spec.keras_class)).parameters
    defaults = {key: parameter.default for key, parameter in theirs.items()}
    mine = spec.model_dump(exclude={"type"})
    assert mine == {key: defaults[key] for key in mine}
    assert set(defaults) - set(mine) <= NOT_OFFERED


@pytest.mark.parametrize("name", ROOM.names())
def test_it_is_built_with_every_value(keras, name):
    spec = ROOM.load(name)
    changed = {
        key: not field.default if isinstance(field.default, bool) else NUMBERS.get(key, 0.25)
        for key, field in spec.model_fields.items()
        if key != "type"
    }
    built = spec(**changed).build()
    assert type(built) is getattr(keras.optimizers, spec().keras_class)
    config = built.get_config()
    assert {key: config[key] for key in changed} == pytest.approx(changed)


@pytest.mark.parametrize("name", ROOM.names())
def test_the_rate_may_be_a_schedule(keras, name):
    schedule = keras.optimizers.schedules.CosineDecay(0.5, 10)
    assert float(ROOM.load(name)().build(schedule).learning_rate) == pytest.approx(0.5)


def test_the_classes_of_keras_are_all_there(keras):
    theirs = {
        name
        for name, value in vars(keras.optimizers).items()
        if isinstance(value, type) and issubclass(value, keras.optimizers.Optimizer)
    }
    others = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "ScheduleFreeAdamW"}
    assert theirs - others == {ROOM.load(name)().keras_class for name in ROOM.names()}
