"""Stochastic gradient descent, with momentum (Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class SGD(Optimizer):
    """`keras.optimizers.SGD`."""

    also_called: ClassVar[tuple[str, ...]] = ("momentum", "gradient_descent", "nesterov")
    type: Literal["sgd"] = "sgd"
    learning_rate: float = Field(default=0.01, gt=0)
    """Step size; where a schedule begins."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last step that is taken again."""
    nesterov: bool = False
    """Whether the gradient is taken after that share of a step (Nesterov's momentum)."""

    def ignored_keys(self) -> dict[str, str]:
        """Nesterov's momentum is a kind of momentum."""
        return super().ignored_keys() | ({} if self.momentum else {"nesterov": "because momentum is 0"})
