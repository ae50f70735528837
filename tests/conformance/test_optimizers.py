"""Every optimizer has the names and defaults of the Keras class that it is, and builds it."""

import inspect

import pytest

from cnnpipe.registry import room

ROOM = room("optimizers")
ADDED_BY_KERAS = {"name", "kwargs", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum"}
ADDED_BY_KERAS |= {"ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"}


@pytest.fixture(scope="module")
def keras():
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    return keras


def test_there_are_optimizers():
    assert set(ROOM.names()) >= {"adam", "adamw", "rmsprop", "sgd"}


@pytest.mark.parametrize("name", ROOM.names())
def test_names_and_defaults_are_those_of_keras(keras, name):
    spec = ROOM.load(name)()
    theirs = inspect.signature(getattr(keras.optimizers, spec.keras_class)).parameters
    defaults = {key: parameter.default for key, parameter in theirs.items()}
    mine = spec.model_dump(exclude={"type"})
    assert mine == {key: defaults[key] for key in mine}
    left_out = set(defaults) - set(mine) - ADDED_BY_KERAS
    assert left_out <= {"weight_decay"}


@pytest.mark.parametrize("name", ROOM.names())
def test_it_is_built_with_every_value(keras, name):
    spec = ROOM.load(name)
    changed = {
        key: not field.default if isinstance(field.default, bool) else 0.25
        for key, field in spec.model_fields.items()
        if key != "type"
    }
    built = spec(**changed).build()
    assert type(built) is getattr(keras.optimizers, spec().keras_class)
    config = built.get_config()
    assert {key: config[key] for key in changed} == pytest.approx(changed)
