"""Parameters and multiply-adds of the published networks, to the unit, and what the comments of recipes say of them."""

from __future__ import annotations

import re
from functools import cache

import pytest

from cnnpipe.jobs.describe import describe
from cnnpipe.recipe.load import shipped_recipes
from cnnpipe.recipe.phases import trainable_parameters

KERAS = {
    "convnext_tiny": 28_589_128,
    "efficientnet_b0": 5_330_571,
    "efficientnet_b1": 7_856_239,
    "efficientnet_b2": 9_177_569,
    "efficientnet_b3": 12_320_535,
    "efficientnet_b4": 19_466_823,
    "efficientnet_b5": 30_562_527,
    "efficientnet_b6": 43_265_143,
    "efficientnet_b7": 66_658_687,
    "mobilenet": 4_253_864,
    "mobilenet_v2": 3_538_984,
    "mobilenet_v3_large": 5_507_432,
    "mobilenet_v3_small": 2_554_968,
    "resnet50": 25_636_712,
    "resnet101": 44_707_176,
    "resnet152": 60_419_944,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
"""What `count_params()` of keras.applications says, with the statistics of BatchNorm layers."""
AUTHORS = {
    "lenet5": 61_706,
    "alexnet": 60_965_224,
    "squeezenet": 1_235_496,
    "googlenet": 6_998_552,
    "ds_cnn": 24_908,
    "vit_b16": 86_567_656 - 2 * 768,
    "vit_s16": 22_050_664 - 2 * 384,
    "vit_ti16": 5_717_416 - 2 * 192,
    "mlperf_tiny_resnet8": 78_666,
}
"""What the authors' own files hold, or the usual reading of a paper: AlexNet with its two towers, SqueezeNet 1.1.

Those of a vision transformer have a bias of patches and a class token too, which vectors of positions hold here.
"""
TRAINED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "mobilevit_xxs": 1_272_024,
    "mobilevit_xs": 2_317_848,
    "mobilevit_s": 5_578_632,
}
"""What torchvision and timm say, which count what an optimizer changes."""
PAPERS = {
    "lenet5": 416_520,
    "alexnet": 0.724e9,
    "squeezenet": 0.352e9,
    "mlperf_tiny_resnet8": 12.5e6,
    "vgg16": 15.3e9,
    "vgg19": 19.6e9,
    "resnet18": 1.8e9,
    "resnet34": 3.6e9,
    "resnet50": 3.8e9,
    "resnet101": 7.6e9,
    "resnet152": 11.3e9,
    "mobilenet": 569e6,
    "mobilenet_v2": 300e6,
    "mobilenet_v3_large": 219e6,
    "mobilenet_v3_small": 56e6,
    "convnext_tiny": 4.5e9,
    "googlenet": 1.58e9,
    "ds_cnn": 2.7e6,
    "vit_b16": 17.6e9,
    "vit_s16": 4.6e9,
    "vit_ti16": 1.26e9,
    "mobilevit_xxs": 0.42e9,
    "mobilevit_xs": 1.05e9,
    "mobilevit_s": 2.03e9,
    "efficientnet_b0": 0.39e9,
    "efficientnet_b1": 0.70e9,
    "efficientnet_b2": 1.0e9,
    "efficientnet_b3": 1.8e9,
    "efficientnet_b4": 4.2e9,
    "efficientnet_b5": 9.9e9,
    "efficientnet_b6": 19e9,
    "efficientnet_b7": 37e9,
}
"""Multiply-adds as papers, or those who measured, round them, for one example of the published size."""
SETTING = re.compile(r"`--set (\S+=\S+)`")
"""What follows it in a comment is about the recipe with this change."""
COUNT = re.compile(r"(about )?\b(\d{1,3}(?:,\d{3})+) (?:trainable )?(parameters|multiply-adds)")
ROUNDED = re.compile(r"(about )?\b(\d+\.?\d*) (G|M|million|billion) multiply-adds")
UNITS = {"M": 1e6, "million": 1e6, "G": 1e9, "billion": 1e9}


@cache
def counted(name: str, *changes: str) -> dict[str, int]:
    found = describe(name, changes)
    trained = sum(trainable_parameters(graph, frozenset()) for graph in found.graphs.values())
    return {**found.totals, "trained": trained}


def comment(name: str) -> str:
    """Return the first comment of a recipe as one line."""
    lines = shipped_recipes()[name].read_text(encoding="utf-8").splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(" ".join(line.lstrip("#") for line in lines[:end]).split()).replace("multiply- ", "multiply-")


@pytest.mark.parametrize(("name", "count"), [*KERAS.items(), *AUTHORS.items()])
def test_parameters_are_those_that_were_published(name: str, count: int):
    assert counted(name)["parameters"] == count


@pytest.mark.parametrize(("name", "count"), TRAINED.items())
def test_trained_parameters_are_those_that_were_published(name: str, count: int):
    assert counted(name)["trained"] == count


@pytest.mark.parametrize(("name", "macs"), PAPERS.items())
def test_multiply_adds_are_those_of_the_paper(name: str, macs: float):
    assert counted(name)["macs"] == pytest.approx(macs, rel=0.05)


def test_every_published_network_has_both_figures():
    assert {*KERAS, *AUTHORS, *TRAINED} == set(PAPERS)


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_comment_states_no_wrong_number(name: str):
    before, *rest = SETTING.split(comment(name))
    for changes, text in [((), before), *(((rest[n],), rest[n + 1]) for n in range(0, len(rest), 2))]:
        counts, rounded = COUNT.findall(text), ROUNDED.findall(text)
        if counts or rounded:
            check_numbers(counts, rounded, counted(name, *changes))


def check_numbers(counts: list[tuple[str, ...]], rounded: list[tuple[str, ...]], totals: dict[str, int]) -> None:
    known = {"parameters": {totals["parameters"], totals["trained"]}, "multiply-adds": {totals["macs"]}}
    for about, number, what in counts:
        assert about or int(number.replace(",", "")) in known[what], f"{number} {what}, and there are {known[what]}"
    for about, number, unit in rounded:
        half = 0.5 * 10 ** -len(number.partition(".")[2])
        wanted = pytest.approx(float(number), abs=1.001 * half)
        assert about or totals["macs"] / UNITS[unit] == wanted, f"{number} {unit} multiply-adds"


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_the_comment_of_a_published_network_states_its_parameters(name: str):
    counts = {number for _, number, what in COUNT.findall(comment(name)) if what == "parameters"}
    assert {f"{counted(name)[key]:,}" for key in ("parameters", "trained")} & counts
