"""MobileNetV3: searched for phones; variant small or large (Howard et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, STORAGE, KerasFunction, OfficialFile, OneOf
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.blocks import Block
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.blocks.conv import Conv
from cnnpipe.blocks.inverted_residual import InvertedResidual

Variant = Literal["small", "large"]
ALPHAS = (0.75, 1.0)
HARD = ("hard_silu", "hard_sigmoid")


class MobileNetV3(BlockFamily):
    """Inverted residual blocks found by search, with squeeze and excitation and hard activations.

    The network normalizes pixels itself.

    Source: Howard et al. 2019, "Searching for MobileNetV3", tables 1 and 2.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"variant": variant, "alpha": alpha, "minimalistic": minimalistic}
        for variant in get_args(Variant)
        for alpha in ALPHAS
        for minimalistic in (False, True)
    )
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = IDENTITY

    type: Literal["mobilenet_v3"] = "mobilenet_v3"
    variant: Variant = "small"
    """Which of the two published networks."""
    alpha: Annotated[float, OneOf(*ALPHAS)] = 1.0
    """Width of every layer as a share of the published one."""
    minimalistic: bool = False
    """Without squeeze and excitation, hard activations and 5x5 windows, for devices that are slow at them.

    Blocks after the backbone have `relu` in the place of hard activations too.
    """

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return f"mobilenet_v3_{self.variant}"

    def adapted(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return the blocks `alpha` times as wide but for the first convolution, and plainer if minimalistic."""
        stem = next((number for number, block in enumerate(blocks) if isinstance(block, Conv)), None)
        wide = (block if number == stem else block.scaled(Scaling(self.alpha)) for number, block in enumerate(blocks))
        return [_plain(block) for block in wide] if self.minimalistic else list(wide)

    def following(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return the blocks after the backbone, without hard activations if minimalistic."""
        return [_without_hard(block) for block in blocks] if self.minimalistic else blocks

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(
            f"MobileNetV3{self.variant.title()}", {"alpha": self.alpha, "minimalistic": self.minimalistic}
        )

    def official_file(self, size: tuple[int, int]) -> OfficialFile | None:
        """Return the published weights, the same for all input sizes."""
        if self.minimalistic and self.alpha != 1:
            return None
        model = self.variant + "_minimalistic" * self.minimalistic
        name = f"weights_mobilenet_v3_{model}_224_{self.alpha}_float_no_top_v2.h5"
        return OfficialFile(name, f"{STORAGE}/mobilenet_v3/{name}")


def _plain(block: Block) -> Block:
    """Return a block as the minimalistic networks have it."""
    plain: dict[str, Any] = {"activation": "relu"}
    if isinstance(block, InvertedResidual):
        plain |= {"kernel_size": 3, "squeeze_excitation": 0.0}
    return block.model_copy(update={name: value for name, value in plain.items() if name in type(block).model_fields})


def _without_hard(block: Block) -> Block:
    """Return a block with ReLU in the place of a hard activation."""
    hard = getattr(block, "activation", "") in HARD
    return block.model_copy(update={"activation": "relu"}) if hard else block
