"""Quantization-aware training for one export: from the trained network to what is converted in its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cnnpipe.bundle.attempt import Bench
from cnnpipe.bundle.calibration import calibration_inputs
from cnnpipe.bundle.normalization import carried_normalization
from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph
from cnnpipe.quantization.aware.network import Rounded, rounded
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.schema import QuantizationAware


def learner(loaded: LoadedRecipe) -> Callable[[PlannedExport, Bench], Subject]:
    """Return a function that trains a network on for an export, and returns what is to be converted then.

    The function raises `ProblemError` where the network has layers that cannot be trained so, at their recipe lines, or
    the task trains several networks.

    Args:
        loaded: The recipe that the network was trained with.
    """

    def learn_for(export: PlannedExport, bench: Bench) -> Subject:
        _check_single(loaded, bench.subject)
        bench.listener.stage(f"export {export.name}: quantization-aware training")
        return _trained_on(export, bench, loaded)

    return learn_for


def aware_network(export: PlannedExport, graph: Graph, pixels: bool = True) -> Rounded:
    """Return the network that is trained on for an export. Raises `ProblemError` where it has no form in int8."""
    return rounded(graph, export.granularity, carried_normalization(export, graph) is not None, pixels)


def _trained_on(export: PlannedExport, bench: Bench, loaded: LoadedRecipe) -> Subject:
    from cnnpipe.build import build_model, get_weights, load_weights, save_weights, set_weights
    from cnnpipe.evaluation import caller
    from cnnpipe.quantization.aware.biases import rounded_biases
    from cnnpipe.quantization.aware.learning import learn, learning_rate
    from cnnpipe.quantization.aware.ranges import calibrated
    from cnnpipe.quantization.aware.scales import wrong_scales
    from cnnpipe.training import make_deterministic

    recipe, subject, began = loaded.recipe, bench.subject, time.monotonic()
    settings = export.asked.quantization_aware or QuantizationAware()
    make_deterministic(recipe.seed, recipe.training.deterministic)
    pixels = all(values.dtype == "uint8" for values in subject.splits["training"].inputs.values())
    network = aware_network(export, subject.graph, pixels)
    exact = network.exact.weights(load_weights(subject.weights))
    model = build_model(network.graph)
    set_weights(model, calibrated(network, exact, calibration_inputs(export, subject)))
    call = caller(model, subject.signature)
    learned = learn(network.graph, model, call, subject, recipe, settings, bench.listener)
    bench.listener.note(f"{export.name}: {learned} ({time.monotonic() - began:.0f} s)")
    weights = rounded_biases(network.graph, get_weights(model))
    set_weights(model, weights)
    file = bench.folder / f"{export.name}.quantization_aware.npz"
    save_weights(file, weights)
    said = {"epochs": settings.epochs, "learning_rate": learning_rate(recipe, settings), "kept_epoch": learned.kept}
    origin = {**subject.origin, "quantization_aware": said}
    return replace(
        subject, graph=network.graph, weights=file, call=call, reference=call, origin=origin,
        wrong_in=lambda written: wrong_scales(network.graph, weights, written),
    )  # fmt: skip


def _check_single(loaded: LoadedRecipe, subject: Subject) -> None:
    networks = subject.task.networks(loaded.recipe.model, subject.facts, loaded.place_of)
    if len(networks) > 1:
        names = ", ".join(networks)
        raise ProblemError(Problem(f"quantization-aware training is for one network, and the task has {names}"))
