"""What quantization-aware training wins back, against the same epochs without rounding: a table for each run.

    python tests/benchmarks/quantization_aware.py RUN_FOLDER ... [--epochs N] [--examples N] [--flat]

Rows: the float network; int8 of it as it is; int8 after quantization-aware training; and the fair control, the same
network with BatchNorm folded, trained on for the same epochs on the same batches in float, then int8 as it is. Scores
are those of the test split; nothing is decided here. `agreement` is the share of test examples on which the file and
the network with its rounding have the same largest output, `1 step` the share of outputs within one step.

`--flat` is a constructed network: before anything is measured, channels between two convolutions are scaled by random
factors from 1/20 to 20 that the second undoes. In float it says the same; where one scale serves all channels of a
tensor, int8 then has few steps left for many of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnnpipe.build import build_model, get_weights, load_weights, save_weights, set_weights
from cnnpipe.bundle.attempt import Bench
from cnnpipe.bundle.comparison import Comparer
from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.runtime import file_outputs
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.evaluation import caller
from cnnpipe.events import Listener
from cnnpipe.graph.folding import fold
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.pooling import MaxPooling
from cnnpipe.jobs import export as job
from cnnpipe.jobs import fitting
from cnnpipe.jobs.trained import open_trained
from cnnpipe.quantization.aware.learner import learner
from cnnpipe.quantization.aware.learning import learn
from cnnpipe.recipe.exports import planned_export
from cnnpipe.recipe.schema import Export
from cnnpipe.training import make_deterministic


class Notes(Listener):
    def note(self, text: str) -> None:
        if "rounding" in text:
            print(f"  {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--granularity", nargs="*", default=["per_channel", "per_tensor"])
    parser.add_argument("--examples", type=int, help="train on with so many of the training examples; all by default")
    parser.add_argument("--flat", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Workers() as workers:
        for run in given.runs:
            measure(run, given, Path(folder), workers)


def measure(run: Path, given: argparse.Namespace, folder: Path, workers: Workers) -> None:
    trained = open_trained(run)
    source = job.open_source(trained, trained.loaded, fitting.Notes(Listener()))
    recipe, task, facts = source.loaded.recipe, source.loaded.recipe.task, source.data.facts
    weights = folder / "weights.npz"
    save_weights(weights, get_weights(source.model))
    call = caller(source.model, task.signature(facts))
    subject = Subject(task, facts, source.graph, weights, fewer(source.data.splits, given.examples), call, recipe.seed)
    if given.flat:
        subject = badly_scaled(subject, folder)
    bench = Bench(subject, workers, Comparer(subject, workers.runtime), folder, Notes())
    float_score = bench.comparer._model("test")[1].scores.metrics[task.headline().name]
    low, high = float_score.interval or (float_score.value,) * 2
    print(f"\n{trained.run.reference}{', badly scaled' if given.flat else ''}: float {float_score.value:.4f} "
          f"({low:.4f} to {high:.4f}) of {float_score.n}", flush=True)  # fmt: skip
    continued = None
    for granularity in given.granularity:
        settings = {"epochs": given.epochs, "learning_rate": given.learning_rate}
        item = {"target": "generic", "quantization": "int8", "granularity": granularity, "quantization_aware": settings}
        export = planned_export(0, Export.model_validate(item))
        row(f"int8, {granularity}", export, subject, bench, 0.0)
        began = time.perf_counter()
        aware = learner(source.loaded)(export, bench)
        row(f"aware, {granularity}", export, aware, bench, time.perf_counter() - began)
        began = time.perf_counter()
        continued = continued or control(subject, recipe, export, folder)
        row(f"control, {granularity}", export, continued, bench, time.perf_counter() - began)


def fewer(splits, examples: int | None):
    """Return the splits with so many training examples."""
    whole, rows = splits["training"], slice(examples)
    part = replace(
        whole,
        names=whole.names[rows],
        files=whole.files[rows],
        inputs={name: values[rows] for name, values in whole.inputs.items()},
        targets={name: values[rows] for name, values in whole.targets.items()},
    )
    return {**splits, "training": part} if examples else splits


def row(name: str, export, subject: Subject, bench: Bench, seconds: float) -> None:
    runnable = convert(export, subject, bench.workers, bench.folder / "model.tflite")
    found = bench.comparer.compare(export, runnable, "test", subject.reference)
    own = subject.call(subject.splits["test"].inputs)
    score = found.file.scores.metrics[found.headline.name].value
    text = f"  {name:22} {score:.4f} drop {found.drop.drop:+.4f} ({found.drop.lost} lost, {found.drop.won} won) "
    if subject.reference:
        outputs = file_outputs(bench.workers.runtime, runnable, subject.splits["test"].inputs)
        (output,) = outputs
        step = runnable.facts.outputs[0].scale
        near = float((np.abs(outputs[output] - own[output]) <= 1.01 * step).mean())
        same = float((outputs[output].argmax(-1) == own[output].argmax(-1)).mean())
        (parity,) = found.parity
        text += f"agreement {same:.4f}, 1 step {near:.4f}, mean {parity.mean_error / step:.2f} steps, "
        text += f"parity {'passed' if parity.passed else 'BROKEN'}, "
    print(f"{text}{runnable.facts.bytes} bytes, {seconds:.0f} s", flush=True)


def control(subject: Subject, recipe, export, folder: Path) -> Subject:
    """Return the folded network after the same epochs without rounding."""
    make_deterministic(recipe.seed, recipe.training.deterministic)
    folded = fold(subject.graph)
    model = build_model(folded.graph)
    set_weights(model, folded.weights(load_weights(subject.weights)))
    call = caller(model, subject.signature)
    learn(folded.graph, model, call, subject, recipe, export.asked.quantization_aware, Listener())
    file = folder / "control.npz"
    save_weights(file, get_weights(model))
    return replace(subject, graph=folded.graph, weights=file, call=call)


def badly_scaled(subject: Subject, folder: Path) -> Subject:
    """Return the folded network with channels scaled up or down and back, with ReLU between (which scales along)."""
    folded = fold(subject.graph)
    graph, weights = folded.graph, folded.weights(load_weights(subject.weights))
    random = np.random.default_rng(0)
    count = 0
    for node in graph.nodes:
        after = next_kernel(graph, node)
        if after is None:
            continue
        factors = np.exp(random.uniform(-3, 3, node.shape[-1])).astype("float32")
        kernel, *bias = weights[node.name]
        shaped = factors.reshape(kernel.shape[-2:]) if isinstance(node.type, DepthwiseConvolution) else factors
        weights[node.name] = [kernel * shaped, *(values * factors for values in bias)]
        weights[after.name] = [weights[after.name][0] / factors[:, None], *weights[after.name][1:]]
        count += 1
    print(f"scaled the channels of {count} layers")
    file = folder / "badly_scaled.npz"
    save_weights(file, weights)
    model = build_model(graph)
    set_weights(model, weights)
    return replace(subject, graph=graph, weights=file, call=caller(model, subject.signature))


def next_kernel(graph, node):
    """Return the convolution that alone reads a convolution, through ReLU and max pooling; else None."""
    if not isinstance(node.type, Convolution | DepthwiseConvolution):
        return None
    while True:
        readers = [other for other in graph.nodes if graph.nodes.index(node) in other.inputs]
        if len(readers) != 1:
            return None
        (node,) = readers
        if isinstance(node.type, Convolution | DepthwiseConvolution):
            return node
        scales_along = isinstance(node.type, Activation) and node.type.activation == "relu"
        if not scales_along and not isinstance(node.type, MaxPooling):
            return None


if __name__ == "__main__":
    main()
