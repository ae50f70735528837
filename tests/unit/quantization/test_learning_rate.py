"""Where the learning rate begins when a network is trained on with rounding."""

import pytest

from cnnpipe.quantization.aware.learning import learning_rate
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.schema import QuantizationAware


@pytest.mark.parametrize(
    ("overrides", "asked", "rate"),
    [
        (["training.optimizer.learning_rate=0.06"], None, 0.01),
        (["training.optimizer.learning_rate=0.06", "training.schedule=one_cycle"], None, 0.0006),
        (["training.optimizer.learning_rate=0.06", "training.schedule=one_cycle"], 0.002, 0.002),
    ],
)
def test_a_training_whose_rate_fell_goes_on_with_a_smaller_share(overrides, asked, rate):
    recipe = load_recipe("digits", overrides).recipe
    assert learning_rate(recipe, QuantizationAware(learning_rate=asked)) == pytest.approx(rate)
