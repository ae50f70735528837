"""TensorFlow's converter, driven: from a Keras model to the bytes of a `.tflite` file, and what int8 does to it.

The route is the one that is right today: a SavedModel with one endpoint of named tensors, batch 1 and
`training=False`. Converting the Keras model directly leaves a dynamic batch or uninitialised variables in the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnpipe.exporters import CALIBRATED, Conversion, TensorError
from cnnpipe.exporters._bias_correction import corrected

if TYPE_CHECKING:
    import numpy as np

MEASURED = 32
"""About how many calibration samples the errors of int8 are measured on."""
_VERIFY = "NumericVerify"
"""The operator that compares a quantized tensor with its float twin, in the debugger's file."""


def converted(conversion: Conversion) -> bytes:
    """Return the file. Raises whatever the converter raises."""
    with _converter(conversion) as converter:
        data = bytes(_partly_float(converter, conversion) if conversion.kept_float else converter.convert())
    if not (conversion.corrected_biases and conversion.quantization == "int8" and conversion.calibration):
        return data
    return corrected(data, {error.tensor: sums.mean() for error, sums in _found(conversion)})


def errors(conversion: Conversion) -> tuple[TensorError, ...]:
    """Return what int8 does to each operator, in order. Raises whatever the converter raises."""
    return tuple(error for error, _ in _found(conversion))


def _found(conversion: Conversion) -> Iterator[tuple[TensorError, _Sums]]:
    """Yield what int8 does to each operator, in order, in short and in sums."""
    import tensorflow as tf

    every = max(1, len(conversion.calibration) // MEASURED)  # they are in order, often class by class
    samples = conversion.calibration[::every]
    with _converter(conversion) as converter:
        debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=lambda: iter(samples))
        yield from _measured(debugger.get_debug_quantized_model(), samples)


@contextmanager
def _converter(conversion: Conversion) -> Iterator[Any]:
    """Give a converter of the model with everything set."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(conversion, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        sets, quantization = tf.lite.OpsSet, conversion.quantization
        if quantization != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantization in CALIBRATED:
            int16 = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            first = sets.TFLITE_BUILTINS_INT8 if quantization == "int8" else int16
            if conversion.calibration:
                converter.target_spec.supported_ops = [first, sets.TFLITE_BUILTINS]
                converter.representative_dataset = lambda: (dict(sample) for sample in conversion.calibration)
            converter.inference_input_type = tf.as_dtype(conversion.input_type)
            converter.inference_output_type = tf.as_dtype(conversion.output_type)
        # The converter has no public switch; the file is looked at afterwards.
        converter._experimental_disable_per_channel = conversion.granularity == "per_tensor"
        yield converter


def _write_saved_model(conversion: Conversion, folder: str) -> None:
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(conversion.model)
    specs = [tf.TensorSpec((1, *shape), tf.float32, name=name) for name, shape in conversion.inputs.items()]
    archive.add_endpoint("serve", _endpoint(conversion), input_signature=specs)
    archive.write_out(folder, verbose=False)


def _endpoint(conversion: Conversion) -> Callable[..., Mapping[str, Any]]:
    def serve(*tensors: Any) -> Mapping[str, Any]:
        named = dict(zip(conversion.inputs, tensors, strict=True))
        result = conversion.model(tensors[0] if len(tensors) == 1 else named, training=False)
        return result if isinstance(result, dict) else {conversion.outputs[0]: result}

    return serve


def _partly_float(converter: Any, conversion: Conversion) -> Any:
    """Return an int8 file in which some operators compute in float: the two halves of the converter, one by one."""
    import tensorflow as tf
    from tensorflow.lite.python import convert

    converter._experimental_calibrate_only = True
    return convert.mlir_quantize(
        converter.convert(),
        disable_per_channel=conversion.granularity == "per_tensor",
        input_data_type=tf.as_dtype(conversion.input_type),
        output_data_type=tf.as_dtype(conversion.output_type),
        denylisted_nodes=list(conversion.kept_float),
    )


def _measured(data: bytes, samples: Sequence[Mapping[str, np.ndarray]]) -> Iterator[tuple[TensorError, _Sums]]:
    """Run the debugger's file, which holds every operator twice, and yield the errors.

    Its own statistics know no channels, where an error that is small beside one of them may be all of another.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=data,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    pairs = [operator["inputs"] for operator in interpreter._get_ops_details() if operator["op_name"] == _VERIFY]
    sums = [_Sums() for _ in pairs]
    for sample in samples:
        for detail, values in zip(interpreter.get_input_details(), sample.values(), strict=True):
            interpreter.set_tensor(detail["index"], values)
        interpreter.invoke()
        for found, (quantized, twin) in zip(sums, pairs, strict=True):
            scale, zero_point = interpreter._get_tensor_details(quantized, 0)["quantization"]
            stored = interpreter.get_tensor(quantized).astype("float64")
            found.add(scale * (stored - zero_point), interpreter.get_tensor(twin))
    makers = _makers(interpreter)
    for found, (quantized, _) in zip(sums, pairs, strict=True):
        detail = interpreter._get_tensor_details(quantized, 0)
        # The quantized twin is called like the tensor and one more digit.
        error = found.error() / detail["quantization"][0]
        yield TensorError(makers[quantized], detail["name"][:-1], error, found.noise()), found


def _makers(interpreter: Any) -> dict[int, str]:
    """Return the operator that makes each tensor."""
    return {
        tensor: operator["op_name"] for operator in interpreter._get_ops_details() for tensor in operator["outputs"]
    }


class _Sums:
    """Sums over samples and positions, for each channel, of one tensor's values and errors."""

    def __init__(self) -> None:
        self.count: Any = 0
        self.errors: Any = 0.0
        self.squared_errors: Any = 0.0
        self.values: Any = 0.0
        self.squares: Any = 0.0

    def add(self, quantized: np.ndarray, twin: np.ndarray) -> None:
        """Add one sample; channels are the last axis."""
        values = twin.astype("float64").reshape(-1, twin.shape[-1])
        self.count += len(values)
        errors = quantized.reshape(values.shape) - values
        self.errors += errors.sum(axis=0)
        self.squared_errors += (errors**2).sum(axis=0)
        self.values += values.sum(axis=0)
        self.squares += (values**2).sum(axis=0)

    def mean(self) -> Any:
        """Return the mean error of each channel."""
        return self.errors / self.count

    def error(self) -> float:
        """Return the root mean square error over all values."""
        return float((self.squared_errors / self.count).mean() ** 0.5)

    def noise(self) -> float:
        """Return the mean over channels of the error's share of the variance; channels that never change count not."""
        import numpy as np

        variance = self.squares / self.count - (self.values / self.count) ** 2
        alive = variance > 1e-12
        shares = np.minimum((self.squared_errors / self.count)[alive] / variance[alive], 1.0)
        return float(shares.mean()) if alive.any() else 0.0
