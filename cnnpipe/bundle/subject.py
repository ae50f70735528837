"""What is exported: a trained network with all that is needed to convert it and to prove the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnpipe.data import SplitData, exact_inputs
from cnnpipe.datasets import SplitName
from cnnpipe.errors import Problem
from cnnpipe.graph import Graph
from cnnpipe.task import Arrays, Facts, Signature, Task


def signature_of(task: Task, facts: Facts, postprocessing: str | None) -> Signature:
    """Return what a file is to its client."""
    return task.postprocessed_signature(facts, postprocessing) if postprocessing else task.signature(facts)


@dataclass(frozen=True)
class Subject:
    """A trained network and its data.

    Args:
        task: The task.
        facts: What the task knows of the data.
        graph: The network that is exported.
        weights: File of its weights, as `build.save_weights` writes it.
        splits: The examples of each split.
        call: Runs the deployed Keras model: inputs to outputs by tensor name, batch axis first.
        seed: Chooses the calibration examples.
        origin: What the bundle says about where it comes from, as plain values.
        reference: Runs the network with the rounding of the file in it, which the file must equal step for step; None
            where the file must be near `call`.
        wrong_in: Returns what a file made of it has wrong, from the file alone.
        postprocessing: What the file computes behind the network, if anything; `graph` and `call` then compute it too.
    """

    task: Task
    facts: Facts
    graph: Graph
    weights: Path
    splits: Mapping[SplitName, SplitData]
    call: Callable[[Arrays], Arrays]
    seed: int = 0
    origin: Mapping[str, Any] = field(default_factory=dict)
    reference: Callable[[Arrays], Arrays] | None = None
    wrong_in: Callable[[Path], Iterable[Problem]] = lambda file: ()
    postprocessing: str | None = None

    @property
    def signature(self) -> Signature:
        """What the exported file is to its client."""
        return signature_of(self.task, self.facts, self.postprocessing)

    def network_inputs(self, split: SplitName, rows: Sequence[int]) -> Arrays:
        """Return what the task hands to the network first for some examples of a split; usually just these examples."""
        handed: list[Arrays] = []

        def record(inputs: Arrays) -> Arrays:
            handed.append(inputs)
            return self.call(inputs)

        if split == "training":
            chosen = exact_inputs(self.splits[split], rows, self.facts.preprocessing)
        else:
            chosen = {name: values[list(rows)] for name, values in self.splits[split].inputs.items()}
        self.task.answer(record, chosen, self.facts)
        return handed[0]
