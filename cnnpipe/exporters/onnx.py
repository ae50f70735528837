"""ONNX: `.onnx` files in float, for onnxruntime and for compilers such as TensorRT's `trtexec`.

Keras writes the file through tf2onnx with a static batch of 1; here its tensors get the names that all formats share.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import Conversion, Exporter, FileFacts, Quantization, TensorFacts, TensorType
from cnnpipe.litert_file import layers_in

if TYPE_CHECKING:
    import numpy as np

LARGEST_FILE = 2 * 2**30
"""Bytes of one file: more do not fit into its format."""


class Onnx(Exporter):
    """An `.onnx` file in float32, batch 1, channels last at its ends. Needs the extra `onnx`."""

    also_called: ClassVar[tuple[str, ...]] = ("onnxruntime", "ort", "tensorrt")
    type: Literal["onnx"] = "onnx"

    file_name: ClassVar[str] = "model.onnx"
    types: ClassVar[Mapping[Quantization, tuple[TensorType, ...]]] = {"none": ("float32",)}
    program: ClassVar[tuple[str, ...]] = (
        "import onnxruntime",
        'session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])',
        "stored = session.run(None, {session.get_inputs()[0].name: stored})[0]",
    )

    def convert(self, conversion: Conversion) -> FileFacts:
        """Write the file. Runs in the conversion process.

        Raises:
            ProblemError: The extra is not installed, or tf2onnx refuses the model.
        """
        _needs("onnx", "tf2onnx")
        import keras
        import onnx

        signature = [
            keras.InputSpec(dtype="float32", shape=(1, *shape), name=name) for name, shape in conversion.inputs.items()
        ]
        try:
            conversion.model.export(
                str(conversion.file), format="onnx", verbose=False, input_signature=_nested(conversion, signature)
            )
        except Exception as error:  # it raises whatever TensorFlow, tf2onnx and onnx raise
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise ProblemError(Problem(f"tf2onnx refuses the model: {first[:300]}")) from error
        model = onnx.load(str(conversion.file))
        _rename(model.graph, list(conversion.inputs), _output_names(conversion))
        conversion.file.write_bytes(model.SerializeToString(deterministic=True))
        return self.inspect(conversion.file)

    def inspect(self, file: Path) -> FileFacts:
        """Return what a file holds, from the file alone.

        Raises:
            ProblemError: The extra is not installed, or the file is no ONNX file.
        """
        _needs("onnx")
        import onnx

        size = file.stat().st_size
        try:
            if size > LARGEST_FILE:
                raise ValueError(f"it has {size} bytes")
            model = onnx.load_model_from_string(file.read_bytes())
            onnx.checker.check_model(model)
        except Exception as error:  # a damaged file can fail anywhere in the generated reader
            reason = " ".join(str(error).split())[:200]
            raise ProblemError(Problem(f"{file.name} is a damaged ONNX file ({reason})")) from None
        graph = model.graph
        return FileFacts(
            inputs=tuple(map(_tensor, graph.input)),
            outputs=tuple(map(_tensor, graph.output)),
            operators=tuple(node.op_type for node in graph.node),
            tensors=len(graph.initializer) + len(graph.input) + sum(len(node.output) for node in graph.node),
            bytes=size,
        )

    def predict(self, file: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> Iterator[Mapping[str, np.ndarray]]:
        """Run the file in onnxruntime on the processor, example by example.

        Raises:
            ProblemError: The extra is not installed, or onnxruntime refuses the file.
        """
        _needs("onnxruntime")
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ProblemError(Problem(f"onnxruntime refuses {file.name} ({reason})")) from None
        names = [output.name for output in session.get_outputs()]
        for batch in batches:
            rows = [
                session.run(names, {name: values[row : row + 1] for name, values in batch.items()})
                for row in range(len(next(iter(batch.values()))))
            ]
            yield {name: np.concatenate([row[at] for row in rows]) for at, name in enumerate(names)}


def _needs(*packages: str) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise ProblemError(
            Problem(
                f"ONNX files need the package{'s'[: len(missing) > 1]} {', '.join(missing)}, not installed here",
                hint="Install the extra `onnx`: pip install 'cnnpipe[onnx]'",
            )
        )


def _nested(conversion: Conversion, signature: Sequence[Any]) -> list[Any]:
    """Return the signature as the model is called: several inputs are one dictionary."""
    if len(signature) == 1:
        return list(signature)
    return [dict(zip(conversion.inputs, signature, strict=True))]


def _output_names(conversion: Conversion) -> list[str]:
    """Return the names in the order in which TensorFlow flattens a mapping of several outputs."""
    return list(conversion.outputs) if len(conversion.outputs) == 1 else sorted(conversion.outputs)


def _rename(graph: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Name inputs and outputs as all formats do, nodes by their layers, and all else by its place.

    tf2onnx counts on from one conversion to the next in its names, so that equal networks would give other files.
    """
    names = {entry.name: name for entry, name in zip(graph.input, inputs, strict=True)}
    names |= {entry.name: name for entry, name in zip(graph.output, outputs, strict=True)}
    for number, node in enumerate(graph.node):
        for name in (*node.input, *node.output):
            names.setdefault(name, f"t{len(names):04d}" if name else "")
        layer = "_".join(layers_in(node.name)) or "between"
        node.name, node.doc_string = f"{number:04d}_{layer}_{node.op_type}", ""
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for entry in (*graph.input, *graph.output, *graph.initializer):
        entry.name = names[entry.name]
    constants = sorted(graph.initializer, key=lambda constant: constant.name)
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(constants)
    graph.name, graph.doc_string = "cnnpipe", ""


def _tensor(entry: Any) -> TensorFacts:
    import onnx

    kind = entry.type.tensor_type
    shape = tuple(int(axis.dim_value) for axis in kind.shape.dim)
    return TensorFacts(entry.name, shape, str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)))
