"""A LiteRT program: operators over tensors, as a converted file holds them or as a network is predicted to become."""

from cnnpipe.program.arena import Arena, Buffer, plan_arena
from cnnpipe.program.core import Operator, Program, Tensor
from cnnpipe.program.multiply_adds import multiply_adds

__all__ = ["Arena", "Buffer", "Operator", "Program", "Tensor", "multiply_adds", "plan_arena"]
