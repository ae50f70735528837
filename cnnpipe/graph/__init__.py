"""A network as a small directed graph of layer nodes, in pure Python: shapes, parameters, multiply-adds, memory."""

from cnnpipe.graph.builder import GraphBuilder, Tensor
from cnnpipe.graph.core import Graph, Node, NodeType, Shape, ShapeError, Window

__all__ = ["Graph", "GraphBuilder", "Node", "NodeType", "Shape", "ShapeError", "Tensor", "Window"]
