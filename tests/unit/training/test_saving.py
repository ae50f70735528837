"""The file of a finished model, opened by a process that has no cnnpipe."""

import subprocess
import sys

OPEN = """
import sys
import keras, numpy
sys.modules["cnnpipe"] = None
model = keras.models.load_model(sys.argv[1])
pixels = numpy.load(sys.argv[2]).astype("float32")
numpy.save(sys.argv[3], model.predict(pixels, verbose=0))
print(model.compiled, model.name)
"""


def test_plain_keras_opens_the_model_and_gets_the_same(training, tmp_path):
    import numpy as np

    small = training("task.label_smoothing=0.1", "training.epochs=1")  # a loss that Keras lacks
    small.fit()
    from cnnpipe.evaluation import predict_outputs
    from cnnpipe.training import save_model

    save_model(small.model, tmp_path / "model.keras")
    pixels = small.data.splits["test"].inputs["image"]
    np.save(tmp_path / "in.npy", pixels)
    files = [tmp_path / name for name in ("model.keras", "in.npy", "out.npy")]
    result = subprocess.run([sys.executable, "-c", OPEN, *files], capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout == "False cnnpipe\n", result.stderr
    signature = small.loaded.recipe.task.signature(small.data.facts)
    expected = predict_outputs(small.model, {"image": pixels}, signature)["probabilities"]
    assert np.abs(np.load(tmp_path / "out.npy") - expected).max() < 1e-6
