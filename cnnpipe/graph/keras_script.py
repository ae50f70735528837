"""A graph as a plain Keras script, so that nobody is locked in."""

from __future__ import annotations

import ast
import importlib.util
import keyword
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.nodes.input import Input


def keras_script(graphs: Mapping[str, Graph], title: str) -> str:
    """Return a script that needs only Keras and builds the same networks, layer by layer.

    Args:
        graphs: The networks by name. A single one is called `model` in the script, several by their names.
        title: First line of the script's docstring.
    """
    single = len(graphs) == 1
    parts = [f'"""{title}: the network in plain Keras."""', "", "import keras", "from keras import layers"]
    for name in dict.fromkeys(name for graph in graphs.values() for name in _lacking(graph)):
        parts += ["", "", _source(name), ""]
    for name, graph in graphs.items():
        parts += ["", *_network(graph, "model" if single else name)]
    return "\n".join(parts) + "\n"


def _lacking(graph: Graph) -> Iterable[str]:
    """Yield the names, with their modules, of the functions that make what Keras lacks."""
    for node in graph.nodes:
        name = node.type.keras_layer(*graph.input_shapes(node)).class_name
        if "." in name:
            yield name


def _source(name: str) -> str:
    """Return the source of a function and of those that it calls, without importing its module: that imports Keras."""
    module, _, short = name.rpartition(".")
    found = importlib.util.find_spec(module)
    text = Path(found.origin).read_text("utf-8") if found and found.origin else ""
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted = [short] if short in functions else []
    for name in wanted:
        read = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        wanted += [other for other in functions if other in read and other not in wanted]
    return "\n\n\n".join(filter(None, (ast.get_source_segment(text, functions[name]) for name in reversed(wanted))))


def _network(graph: Graph, model: str) -> Iterable[str]:
    variables = _variables(graph)
    block = ""
    for position, node in enumerate(graph.nodes):
        if node.block and node.block != block:
            yield f"# {node.block}" + (f", line {node.place.line}" if node.place else "")
        block = node.block
        yield f"{variables[position]} = {_call(graph, node, variables, position)}"
    ends = [_end(end, variables) for end in (graph.inputs, graph.outputs)]
    yield f"{model} = keras.Model({ends[0]}, {ends[1]})"


def _variables(graph: Graph) -> list[str]:
    """Name outputs: `x` is read by the next line and nothing else; inputs are called like their tensors if they can."""
    last = len(graph.nodes) - 1
    readers: list[set[int]] = [set() for _ in graph.nodes]
    for position, node in enumerate(graph.nodes):
        for read in node.inputs:
            readers[read].add(position)
    kept = {*graph.inputs.values(), *graph.outputs.values()} - {last}
    passing = {position for position, reads in enumerate(readers) if reads == {position + 1}} | {last}
    inputs = {position: name for name, position in graph.inputs.items() if _is_free(name)}
    return [
        inputs.get(position) or ("x" if position in passing - kept else f"x{position}") for position in range(last + 1)
    ]


def _is_free(name: str) -> bool:
    """Tell whether a variable can have this name without hiding another one."""
    taken = keyword.iskeyword(name) or name in ("keras", "layers") or re.fullmatch(r"x\d*", name)
    return name.isidentifier() and not taken


def _call(graph: Graph, node: Node, variables: list[str], position: int) -> str:
    layer = node.type.keras_layer(*graph.input_shapes(node))
    config = dict(layer.config)
    if isinstance(node.type, Input):
        tensor = next(name for name, at in graph.inputs.items() if at == position)
        return f"keras.Input({_arguments({**config, 'name': tensor})})"
    reads = [variables[read] for read in node.inputs]
    inputs = ", ".join(reads * layer.copies) if len(reads) == 1 else f"[{', '.join(reads)}]"
    name = layer.class_name.rpartition(".")[2] if "." in layer.class_name else f"layers.{layer.class_name}"
    return f"{name}({_arguments(config)})({inputs})"


def _arguments(config: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_literal(value)}" for name, value in config.items())


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _end(tensors: Mapping[str, int], variables: list[str]) -> str:
    if len(tensors) == 1:
        return variables[next(iter(tensors.values()))]
    return "{" + ", ".join(f'"{name}": {variables[position]}' for name, position in tensors.items()) + "}"
