"""Reads a network of keras.applications from its public `get_config()` into nodes of a graph, with its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnpipe.graph import GraphBuilder, NodeType, Shape, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution, Initializer
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import BatchNormalization, LayerNormalization
from cnnpipe.graph.nodes.padding import Cropping, ZeroPadding
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling

if TYPE_CHECKING:
    import keras
    import numpy as np

Config = Mapping[str, Any]
Constants = Sequence[float]
_Key = tuple[str, int, int]


@dataclass(frozen=True)
class ImportedNode:
    """A node of a Keras network.

    Args:
        type: What it does.
        inputs: Tensors that it reads: 0 is what the network reads, n the output of the n-th node.
        reads: Their shapes.
        shape: Shape of its output.
        arrays: Its weights, in the shapes of `type.weights`.
        layer: Name of the Keras layer that it comes from.
        output: The Keras tensor with the same values, where there is one in the outer model.
    """

    type: NodeType
    inputs: tuple[int, ...]
    reads: tuple[Shape, ...]
    shape: Shape
    arrays: tuple[np.ndarray, ...]
    layer: str
    output: Any


def import_model(model: keras.Model) -> tuple[ImportedNode, ...]:
    """Return the nodes of a functional model with one input and one output, the output last.

    A layer with an activation becomes two nodes, a separable convolution too; nested models are laid open.

    Raises:
        NotImplementedError: A layer has no node type; names it.
    """
    importing = _Importing()
    importing.model(model, [importing.builder.input("input", tuple(model.input_shape[1:]))])
    return tuple(importing.nodes)


class _Importing:
    """The nodes so far, built with their shapes."""

    def __init__(self) -> None:
        self.builder = GraphBuilder()
        self.nodes: list[ImportedNode] = []
        self.nested = False

    def model(self, model: keras.Model, feed: Sequence[Tensor]) -> Tensor:
        """Add all nodes of a functional or sequential model and return its output."""
        import keras

        if isinstance(model, keras.Sequential):
            (tensor,) = feed
            for layer in model.layers:
                tensor = self.layer(layer, type(layer).__name__, layer.get_config(), [tensor], [])
            return tensor
        config = model.get_config()
        operations = {operation.name: operation for operation in model.operations}
        done: dict[_Key, Tensor] = {}
        for entry in config["layers"]:
            layer = operations[entry["name"]]
            if entry["class_name"] == "InputLayer":
                done[entry["name"], 0, 0] = feed[0]
                continue
            (inbound,) = entry["inbound_nodes"]
            found = list(_values([inbound["args"], _without(inbound["kwargs"], "mask", "training")]))
            reads = [done[value] for value in found if isinstance(value, tuple)]
            constants = [value for value in found if not isinstance(value, tuple)]
            if isinstance(layer, keras.Model):
                self.nested = True
                tensor = self.model(layer, reads)
                self.nested = False
            else:
                tensor = self.layer(layer, entry["class_name"], entry["config"], reads, constants)
            done[entry["name"], 0, 0] = tensor
        output = config["output_layers"]
        return done[tuple(output[0] if isinstance(output[0], list | tuple) else output)]

    def layer(
        self, layer: Any, class_name: str, config: Config, reads: Sequence[Tensor], constants: Constants
    ) -> Tensor:
        """Add the nodes of one layer and return its output."""
        arrays = iter(layer.get_weights()) if hasattr(layer, "get_weights") else iter(())
        if class_name == "CustomScaleLayer":  # of Inception-ResNet: a + scale * b
            scaled = self._add(Rescaling(float(config["scale"])), [reads[1]], arrays, layer, None)
            return self._add(Add(), [reads[0], scaled], arrays, layer, layer.output)
        types = _node_types(class_name, config, len(reads), constants)
        if not types:
            raise NotImplementedError(f"the layer '{layer.name}' is a {class_name}: {dict(config)}")
        inputs = list(reads)
        for number, node_type in enumerate(types):
            whole = layer.output if number == len(types) - 1 and not self.nested else None
            inputs = [self._add(node_type, inputs, arrays, layer, whole)]
        return inputs[0]

    def _add(
        self, node_type: NodeType, reads: Sequence[Tensor], arrays: Iterator[np.ndarray], layer: Any, output: Any
    ) -> Tensor:
        tensor = self.builder.add(node_type, *reads)
        shapes = tuple(read.shape for read in reads)
        own = tuple(next(arrays).reshape(shape) for shape in node_type.weights(*shapes).values())
        inputs = tuple(read.position for read in reads)
        self.nodes.append(ImportedNode(node_type, inputs, shapes, tensor.shape, own, layer.name, output))
        return tensor


def _values(arguments: Any) -> Iterator[Any]:
    """Yield every tensor of serialized call arguments, as its key, and every plain constant."""
    if isinstance(arguments, Mapping):
        if arguments.get("class_name") == "__keras_tensor__":
            yield tuple(arguments["config"]["keras_history"])
            return
        arguments = list(arguments.values())
    if isinstance(arguments, list | tuple):
        for argument in arguments:
            yield from _values(argument)
    elif arguments is not None:
        yield arguments


def _without(mapping: Config, *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _node_types(class_name: str, config: Config, inputs: int, constants: Constants) -> list[NodeType]:
    """Return the nodes of a layer, each reading the one before; none when it is unknown."""
    if class_name in ("Add", "Multiply") and inputs == 1:  # `x + 3.0` and `x * 0.5` in the source of the family
        (constant,) = constants
        return [Rescaling(1.0, float(constant)) if class_name == "Add" else Rescaling(float(constant))]
    make = _TYPES.get(class_name)
    types = list(make(config)) if make else []
    function = _activation(config.get("activation"))
    if types and class_name != "Activation" and function != "linear":
        types.append(Activation(function))
    return types


def _activation(value: Any) -> Any:
    return value if isinstance(value, str) else value["config"] if isinstance(value, Mapping) else "linear"


def _size(value: Any) -> Any:
    """Return one number for equal numbers, else a tuple."""
    numbers = (value,) if isinstance(value, int) else tuple(value)
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _window(config: Config, *more: str) -> dict[str, Any]:
    sizes = {name: _size(config[name]) for name in ("kernel_size", "strides", "dilation_rate")}
    return {**sizes, **{name: config[name] for name in ("padding", "use_bias", *more)}}


def _separable(config: Config) -> Iterable[NodeType]:
    """A separable convolution is a depthwise one without bias and a 1x1 convolution."""
    window = {**_window(config, "depth_multiplier"), "use_bias": False}
    starts = [_initializer(config[f"{part}_initializer"]) for part in ("depthwise", "pointwise")]
    return [
        DepthwiseConvolution(**window, initializer=starts[0]),
        Convolution(config["filters"], 1, use_bias=config["use_bias"], initializer=starts[1]),
    ]


def _initializer(value: Config) -> Initializer:
    """Return what a kernel starts with; newer versions of Keras write more settings, as None."""
    settings = {name: setting for name, setting in _without(value["config"], "seed").items() if setting is not None}
    fan_out = {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}
    if value["class_name"] == "VarianceScaling" and settings == fan_out:
        return "he_normal_fan_out"
    if value["class_name"] not in ("GlorotUniform", "HeNormal"):
        raise NotImplementedError(f"a kernel starts with {value['class_name']}: {settings}")
    return "he_normal" if value["class_name"] == "HeNormal" else "glorot_uniform"


def _rectified(config: Config) -> Iterable[NodeType]:
    names = {None: "relu", 6: "relu6"}
    plain = not config.get("negative_slope") and not config.get("threshold")
    return [Activation(names[config["max_value"]])] if plain else []  # type: ignore[arg-type]


def _dropout(config: Config) -> Iterable[NodeType]:
    return [StochasticDepth(config["rate"]) if config.get("noise_shape") else Dropout(config["rate"])]


def _pooling(kind: type[MaxPooling] | type[AveragePooling]) -> Callable[[Config], Iterable[NodeType]]:
    def make(config: Config) -> Iterable[NodeType]:
        size, strides = _size(config["pool_size"]), _size(config["strides"])
        return [kind(size, None if strides == size else strides, config["padding"])]

    return make


def _statistics(config: Config) -> Iterable[NodeType]:
    if config["mean"] is None:
        return [Normalization()]
    import numpy as np

    mean, variance = (tuple(map(float, np.ravel(config[name]))) for name in ("mean", "variance"))
    return [Normalization(mean, variance)]


def _numbers(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else tuple(map(float, value))


def _pairs(value: Any) -> Any:
    return tuple(tuple(pair) for pair in value)


def _affine(config: Config) -> dict[str, Any]:
    return {name: config[name] for name in ("epsilon", "center", "scale")}


_TYPES: Mapping[str, Callable[[Config], Iterable[NodeType]]] = {
    "Conv2D": lambda c: [
        Convolution(c["filters"], **_window(c, "groups"), initializer=_initializer(c["kernel_initializer"]))
    ],
    "DepthwiseConv2D": lambda c: [
        DepthwiseConvolution(**_window(c, "depth_multiplier"), initializer=_initializer(c["depthwise_initializer"]))
    ],
    "SeparableConv2D": _separable,
    "Dense": lambda c: [Dense(c["units"], c["use_bias"])],
    "BatchNormalization": lambda c: [BatchNormalization(momentum=c["momentum"], **_affine(c))],
    "LayerNormalization": lambda c: [LayerNormalization(**_affine(c))],
    "Normalization": _statistics,
    "LayerScale": lambda c: [ChannelScale(c["init_values"])],
    "StochasticDepth": lambda c: [StochasticDepth(c["drop_path_rate"])],
    "Rescaling": lambda c: [Rescaling(_numbers(c["scale"]), _numbers(c["offset"]))],
    "Activation": lambda c: [Activation(_activation(c["activation"]))],
    "ReLU": _rectified,
    "Dropout": _dropout,
    "Add": lambda c: [Add()],
    "Multiply": lambda c: [Multiply()],
    "Concatenate": lambda c: [Concatenate()],
    "MaxPooling2D": _pooling(MaxPooling),
    "AveragePooling2D": _pooling(AveragePooling),
    "GlobalAveragePooling2D": lambda c: [GlobalAveragePooling(c["keepdims"])],
    "ZeroPadding2D": lambda c: [ZeroPadding(_pairs(c["padding"]))],
    "Cropping2D": lambda c: [Cropping(_pairs(c["cropping"]))],
    "Flatten": lambda c: [Flatten()],
    "Reshape": lambda c: [Reshape(tuple(c["target_shape"]))],
}
