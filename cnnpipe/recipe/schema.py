"""The typed form of a whole recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from cnnpipe.algorithms import Algorithm, AnyAlgorithm
from cnnpipe.augmentations import AnyAugmentation
from cnnpipe.datasets import AnyDataset
from cnnpipe.distributions import AnyDistribution
from cnnpipe.durations import Duration
from cnnpipe.exporters import CALIBRATED, AnyExporter, Granularity, Quantization, TensorType
from cnnpipe.hyperparameters import AnyHyperparameter
from cnnpipe.model import Model
from cnnpipe.optimizers import Optimizer
from cnnpipe.preprocessing import AnyPreprocessing
from cnnpipe.recipe.about import About
from cnnpipe.registry import Component
from cnnpipe.schedules import AnySchedule, Schedule
from cnnpipe.spec import Spec
from cnnpipe.targets import AnyTarget
from cnnpipe.task import AnyTask

QuantizationChoice = Literal[Quantization, "ladder"]
CalibrationChoice = Literal["random", "balanced"]
WHOLE = "training"
"""What the only phase is called when a recipe names none."""


class Split(Spec):
    """How examples whose source names no split are divided: by a hash of seed and content."""

    validation: float = Field(default=0.15, gt=0, lt=1)
    """Share of the examples for decisions: early stopping, best checkpoint, export gates."""
    test: float = Field(default=0.15, gt=0, lt=1)
    """Share of the examples that is read once for each shipped file, after all decisions."""
    seed: int = Field(default=0, ge=0)
    """Another seed is another division."""
    group_by: str | None = None
    """Regular expression on the example's name; examples with equal first groups (or whole matches) stay together."""


class Data(Spec):
    """Where examples come from and what is done to them."""

    source: AnyDataset
    """Where the examples come from."""
    preprocessing: AnyPreprocessing
    """What is always done to an example, in training and on the device."""
    augmentation: tuple[AnyAugmentation, ...] = ()
    """Random changes of training examples, in order."""
    split: Split = Split()
    """How examples are divided into training, validation and test."""
    unreadable: Literal["error", "skip"] = "error"
    """What to do with an example that cannot be read: stop and name it, or leave it out and say so."""
    memory_budget: float = Field(default=2.0, gt=0)
    """GiB of preprocessed examples that may be kept in memory; more are kept in a temporary file."""


class EarlyStopping(Spec):
    """Stop when the task's headline metric on the validation split no longer improves."""

    patience: int = Field(default=5, ge=1)
    """Epochs without improvement before stopping."""
    min_delta: float = Field(default=0.0, ge=0)
    """Smallest change that counts as improvement."""


class Phase(Spec):
    """A part of the training with settings of its own, such as: first the head alone, then some of the backbone too."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    """What tables call it, and how paths address it: `training.phases.head.epochs`."""
    epochs: int = Field(ge=1)
    """Passes over the training split."""
    freeze: Literal["none", "backbone", "P1", "P2", "P3", "P4", "P5"] = "none"
    """What keeps its weights: nothing, the whole backbone, or the backbone up to a feature level (P4: stride 16)."""
    batch_normalization: Literal["inference", "training"] = "inference"
    """Whether the backbone's BatchNorm layers keep their statistics and weights, or learn with the rest."""
    optimizer: Annotated[Optimizer, Component("optimizers", default="adam")] | None = None
    """Optimizer of this phase; `training.optimizer` when left out."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Learning rate of this phase; the optimizer's when left out."""
    schedule: AnySchedule | None = None
    """How that rate changes during this phase; `training.schedule` when left out."""
    cached_views: int | None = Field(default=None, ge=1)
    """With augmentation, train what follows the frozen layers on so many changed copies of each example, kept as
    features and taken in turn, an epoch each; when left out, every epoch changes and computes all examples anew."""

    def ignored_keys(self) -> dict[str, str]:
        """A frozen backbone learns nothing; only features of frozen layers can be kept."""
        if self.freeze == "none":
            return {"cached_views": "because nothing is frozen"}
        return {"batch_normalization": "because the whole backbone is frozen"} if self.freeze == "backbone" else {}


class Training(Spec):
    """How the model is trained."""

    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training split; with `phases` each phase says its own."""
    phases: tuple[Phase, ...] = ()
    """Parts of the training in order; a pretrained backbone has two when left out: its head first, then the rest."""
    batch_size: int = Field(default=32, ge=1)
    """Examples per step."""
    optimizer: Annotated[Optimizer, Component("optimizers", default="adam")] = Field(
        default_factory=lambda: cast(Optimizer, Component("optimizers").validate("adam"))
    )
    """Keras's optimizer."""
    schedule: AnySchedule | None = None
    """How the learning rate changes, in each phase anew; constant when left out."""
    early_stopping: EarlyStopping | None = None
    """When to stop early: the phase, where there are phases, and the next one begins."""
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """Keras's dtype policy while training: what is computed with; weights, decisions and exports are float32."""
    distribution: AnyDistribution | None = None
    """On which devices or processes each batch is computed; on one when left out."""
    max_time: Duration | None = None
    """Time after which training stops, such as `40m` or `1h30m`, over all processes."""
    deterministic: bool | None = None
    """Whether equal seeds give equal weights, bit for bit; when left out, on a CPU but not on a GPU."""
    restore: Literal["best", "last"] = "best"
    """Which weights are kept: of the epoch with the best headline metric on validation, or of the last one."""

    @classmethod
    def also_needed(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Without phases the epochs are needed."""
        return () if given.get("phases") or given.get("epochs") is not None else ("epochs",)

    @property
    def total_epochs(self) -> int:
        """Passes over the training split in all phases."""
        return sum(phase.epochs for phase in self.parts)

    @property
    def parts(self) -> tuple[Phase, ...]:
        """The phases, or the whole training as one: all weights learn."""
        return self.phases or (Phase(name=WHOLE, epochs=self.epochs or 1, batch_normalization="training"),)

    def optimizer_of(self, phase: Phase) -> Optimizer:
        """Return the optimizer of a phase, with its learning rate."""
        chosen = phase.optimizer or self.optimizer
        rate = phase.learning_rate
        return chosen if rate is None else chosen.model_copy(update={"learning_rate": rate})

    def schedule_of(self, phase: Phase) -> Schedule | None:
        """Return the schedule of a phase."""
        return phase.schedule or self.schedule


class QuantizationAware(Spec):
    """Training on with the rounding of int8 in the network, before it is written."""

    epochs: int = Field(default=4, ge=1)
    """Passes over the training split."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Where the learning rate begins, which falls to 0 as half a cosine; when left out a sixth of that of the
    training's last phase, a hundredth where a schedule changed that."""


class Export(Spec):
    """One exported file."""

    target: AnyTarget
    """The device."""
    quantization: QuantizationChoice = "none"
    """What happens to weights and activations; `ladder` tries int8 first, then one remedy after the other until
    `max_drop` holds on validation."""
    format: AnyExporter | None = None
    """File format; the target's own when left out."""
    input_type: TensorType | None = None
    """Type of the input tensor; the target's wish when left out."""
    output_type: TensorType | None = None
    """Type of the output tensors; the target's wish when left out."""
    postprocessing: str | None = None
    """What the file computes behind the network, such as `class_map`; what there is the task says. When left out the
    file gives what the network gives."""
    max_drop: float | None = Field(default=None, ge=0)
    """How much of the headline metric the file may lose, in the metric's unit, in its worse direction."""
    max_bytes: int | None = Field(default=None, ge=1)
    """How many bytes the file may have."""
    max_arena: int | None = Field(default=None, ge=1)
    """How many bytes its tensor arena in LiteRT Micro may have; the board's own memory is always a limit."""
    granularity: Granularity | None = None
    """Whether int8 weights have a scale for each output channel or one for all; the target's wish when left out."""
    calibration_examples: int = Field(default=200, ge=1)
    """Training examples that int8 and int16x8 are calibrated on."""
    calibration_choice: CalibrationChoice = "random"
    """Which ones: any, or equally many of each label, as far as there are so many."""
    corrected_biases: bool = False
    """Take off each bias of an int8 file what rounded weights add to its channel on average, measured on some of the
    calibration examples (Nagel et al. 2019); writing the file takes about three times as long. A ladder tries it."""
    quantization_aware: QuantizationAware | None = None
    """Train on with the rounding of int8 before the file is written, a few epochs at a low learning rate; with a ladder
    these are the settings of its last remedy. Only for int8 and the ladder."""

    @classmethod
    def also_needed(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        """A ladder must know when it has arrived."""
        return ("max_drop",) if given.get("quantization") == "ladder" and given.get("max_drop") is None else ()

    def ignored_keys(self) -> dict[str, str]:
        """Only some quantizations are calibrated, or have weights of 8 bits."""
        why = f"because quantization {self.quantization}"
        ignored: dict[str, str] = {}
        if self.quantization != "ladder" and self.quantization not in CALIBRATED:
            ignored |= dict.fromkeys(("calibration_examples", "calibration_choice"), f"{why} needs no calibration")
        if self.quantization in ("none", "float16"):
            ignored["granularity"] = f"{why} has no weights of 8 bits"
        if self.quantization not in ("int8", "ladder"):
            ignored |= dict.fromkeys(("corrected_biases", "quantization_aware"), f"{why} is not int8")
        elif self.quantization_aware and self.quantization == "int8":
            ignored["corrected_biases"] = "because training with the rounding in the network corrects them"
        if not self.target.has_arena:
            ignored["max_arena"] = f"because the target '{self.target.type}' has no arena"
        return ignored


Objective = Literal["score", "macs", "parameters", "bytes", "arena", "latency"]
"""What a search makes better: the task's headline metric, or what a candidate takes, which shall be little."""


class Tuning(Spec):
    """What may vary, and how the best is looked for."""

    space: dict[str, AnyHyperparameter] = Field(min_length=1)
    """What may vary: for each path of this recipe, such as `model.blocks.stem.filters`, what may stand there."""
    algorithm: AnyAlgorithm = Field(default_factory=lambda: cast(Algorithm, Component("algorithms").validate("random")))
    """How the next candidate is chosen."""
    max_trials: int | None = Field(default=None, ge=1)
    """Candidates to train at most; those that are rejected before do not count."""
    max_time: Duration | None = None
    """Time after which the search ends, such as `40m` or `1h30m`, over all processes."""
    max_trial_time: Duration | None = None
    """Time after which a trial is given up as failed."""
    max_memory: float | None = Field(default=None, gt=0)
    """GiB of address space that the process of a trial may have; a trial that needs more fails."""
    objectives: tuple[Objective, ...] = Field(default=("score",), min_length=1)
    """What shall be good, most important first: `score` is the task's headline metric on validation, `macs` and
    `parameters` are of the network, `bytes` and `arena` of the first export's file, predicted, and `latency` is its
    time for one example in one thread, measured on this host, which is not the device's; these shall be small."""


class Recipe(Spec):
    """A whole recipe."""

    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Name of the run folder; the file's name when left out."""
    about: About = About()
    """What it is and where it was published; nothing else depends on it."""
    seed: int = Field(default=0, ge=0)
    """Seed of everything random in training."""
    task: AnyTask
    """What the model is to do."""
    data: Data
    """What it learns from."""
    model: Model
    """The network without its head."""
    training: Training
    """How it is trained."""
    export: tuple[Export, ...] = ()
    """The files to write."""
    tuning: Tuning | None = None
    """What `cnnpipe tune` may vary; other commands only check it."""
