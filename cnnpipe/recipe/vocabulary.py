"""Words of other tools and everyday variants, and what they are called here. Only ever used to suggest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cnnpipe.spec import nearest

KEYS: dict[str, tuple[str, ...]] = {
    "learning_rate": ("lr", "lr0", "base_lr", "init_lr", "initial_lr", "initial_learning_rate", "eta", "alpha"),
    "filters": (
        "out_channels",
        "num_filters",
        "n_filters",
        "channels",
        "num_channels",
        "out_planes",
        "features",
        "width",
        "output_channels",
        "nf",
    ),
    "units": (
        "out_features",
        "neurons",
        "num_units",
        "n_units",
        "hidden",
        "hidden_size",
        "hidden_units",
        "size",
        "nodes",
        "num_outputs",
        "output_dim",
    ),
    "kernel_size": ("kernel", "ksize", "k", "filter_size", "kernel_shape", "window"),
    "pool_size": ("kernel_size", "kernel", "pool_kernel", "window", "size"),
    "strides": ("stride", "s", "step", "subsample"),
    "padding": ("pad", "border_mode", "p"),
    "dilation_rate": ("dilation", "dilations", "atrous_rate"),
    "groups": ("num_groups", "group", "cardinality"),
    "batch_normalization": ("batch_norm", "batchnorm", "bn", "norm", "use_bn", "use_batch_norm", "normalization"),
    "activation": ("act", "nonlinearity", "activation_fn", "act_layer", "activation_function"),
    "dropout": ("dropout_rate", "drop_rate", "rate", "drop", "p", "keep_prob"),
    "rate": ("dropout", "dropout_rate", "drop_rate", "p", "drop"),
    "pool": ("pooling", "pool_type", "downsample"),
    "use_bias": ("bias",),
    "repeat": ("repeats", "n", "depth", "num_layers", "num_repeats", "number", "count", "times", "num_blocks"),
    "expansion": ("expand_ratio", "expansion_factor", "expand", "t"),
    "squeeze_excitation": ("se", "se_ratio", "squeeze_and_excite", "use_se"),
    "blocks": ("layers", "layer", "block", "architecture", "modules", "network", "backbone", "encoder"),
    "epochs": ("n_epochs", "num_epochs", "max_epochs", "epoch", "nb_epoch", "iterations"),
    "batch_size": ("batch", "bs", "batchsize", "train_batch_size", "mini_batch_size", "imgs_per_batch"),
    "optimizer": ("optim", "opt", "optimiser", "solver"),
    "early_stopping": ("patience", "early_stop", "earlystopping"),
    "patience": ("epochs", "wait", "early_stopping_patience", "rounds"),
    "image_size": (
        "imgsz",
        "img_size",
        "imgsize",
        "input_size",
        "size",
        "resolution",
        "target_size",
        "image_shape",
        "input_shape",
        "resize",
        "height",
        "width",
        "imsize",
        "crop_size",
    ),
    "color_mode": (
        "color",
        "colour",
        "colour_mode",
        "channels",
        "mode",
        "color_space",
        "grayscale",
        "rgb",
        "in_channels",
        "in_chans",
        "num_channels",
    ),
    "normalization": ("normalize", "norm", "rescale", "rescaling", "mean", "std", "scale"),
    "classes": (
        "num_classes",
        "nc",
        "n_classes",
        "nb_classes",
        "class_count",
        "number_of_classes",
        "num_labels",
        "class_names",
        "names",
        "labels",
        "categories",
    ),
    "source": ("dataset", "data_source", "train", "loader", "input", "from"),
    "label_column": ("label", "labels", "label_col", "y_col", "target", "class_column"),
    "image_column": ("image", "images", "image_col", "x_col", "file_column", "filename"),
    "split_column": ("split", "split_col", "subset"),
    "path": ("root", "dir", "directory", "folder", "data_dir", "data_path", "file", "filename", "data_root", "url"),
    "augmentation": ("augmentations", "augment", "transforms", "transform", "aug", "data_augmentation"),
    "preprocessing": ("preprocess", "preprocessor", "transforms", "input", "image"),
    "split": ("splits", "val_split", "validation_split", "train_test_split", "test_size"),
    "validation": ("val", "valid", "dev", "validation_split", "val_split", "val_size", "validation_size"),
    "test": ("test_split", "test_size", "holdout"),
    "seed": ("random_seed", "random_state", "rng", "random"),
    "about": ("description", "info", "meta", "metadata", "summary", "reference", "citation"),
    "name": ("id", "title", "project", "experiment", "run_name"),
    "task": ("problem", "objective", "pipeline", "job", "problem_type"),
    "model": ("network", "architecture", "net", "arch", "backbone"),
    "training": ("train", "trainer", "fit", "hyperparameters", "hyp", "optimization"),
    "data": ("dataset", "datasets", "input", "inputs", "data_loader"),
    "export": ("exports", "output", "deploy", "deployment", "convert", "conversion"),
    "quantization": (
        "quantize",
        "quantisation",
        "quant",
        "precision",
        "dtype",
        "int8",
        "half",
        "fp16",
        "post_training",
    ),
    "target": ("device", "platform", "board", "hardware", "runtime"),
    "format": ("file_format", "fmt", "exporter"),
    "max_drop": ("tolerance", "accuracy_drop", "max_accuracy_drop", "max_loss", "threshold"),
    "calibration_examples": ("calibration", "calibration_samples", "representative_dataset", "num_calibration"),
    "input_type": ("inference_input_type", "input_dtype", "in_type"),
    "output_type": ("inference_output_type", "output_dtype", "out_type"),
    "phases": ("training_phases", "fine_tuning", "finetune"),
    "freeze": ("frozen", "freeze_backbone", "freeze_until", "freeze_at", "unfreeze"),
    "schedule": ("scheduler", "lr_scheduler", "lr_schedule", "learning_rate_schedule", "lr_policy"),
    "precision": ("amp", "mixed_precision", "dtype_policy", "dtype", "fp16", "half"),
    "max_time": ("time_limit", "timeout", "max_minutes", "time", "max_duration"),
    "deterministic": ("reproducible", "determinism"),
    "clipnorm": ("grad_clip", "gradient_clip", "clip_grad", "gradient_clip_val"),
    "global_clipnorm": ("clip_grad_norm", "max_grad_norm", "grad_norm"),
    "use_ema": ("ema", "model_ema", "weight_averaging"),
    "gradient_accumulation_steps": ("accumulate_grad_batches", "accumulation_steps", "grad_accum", "accumulate"),
    "warmup_steps": ("warmup", "num_warmup_steps", "warmup_iters"),
    "momentum": ("mom",),
    "weights": ("pretrained", "pretrained_weights", "checkpoint"),
    "factor": ("probability", "prob", "p", "magnitude", "degrees", "strength", "limit", "alpha"),
    "num_ops": ("n", "num_layers", "num_operations"),
    "weight_decay": ("wd", "l2", "decay"),
    "beta_1": ("beta1", "b1", "betas"),
    "beta_2": ("beta2", "b2", "betas"),
    "epsilon": ("eps",),
    "label_smoothing": ("smoothing", "ls", "label_smooth"),
    "restore": ("restore_best_weights", "save_best_only", "checkpoint"),
    "unreadable": ("errors", "on_error", "skip_errors", "corrupt"),
    "extends": ("defaults", "base", "inherits", "inherit", "include", "_base_", "from"),
    "type": ("class_name", "class", "kind", "_target_", "module", "layer", "op"),
}
"""Our key, and the words that other tools use for it."""

VALUES: dict[str, tuple[str, ...]] = {
    "grayscale": ("gray", "grey", "greyscale", "l", "mono", "bw", "1"),
    "rgb": ("bgr", "color", "colour", "rgba", "3"),
    "none": ("float", "float32", "fp32", "no", "null", "full", "off"),
    "float16": ("fp16", "half", "f16", "16"),
    "int8": ("uint8", "ptq", "full_integer", "integer", "i8", "8", "quantized", "qint8"),
    "dynamic_range": ("dynamic", "hybrid", "weight_only", "default"),
    "int16x8": ("int16", "16x8", "a16w8"),
    "float32": ("float", "fp32", "none"),
    "mixed_float16": ("float16", "fp16", "half", "amp", "16", "16-mixed"),
    "mixed_bfloat16": ("bfloat16", "bf16", "bf16-mixed"),
    "same": ("zero", "full", "auto", "samepadding"),
    "max": ("maxpool", "max_pooling", "max_pool"),
    "average": ("avg", "mean", "avgpool", "average_pooling"),
    "relu": ("relu_", "rectified_linear"),
    "relu6": ("relu_6",),
    "silu": ("swish",),
    "bilinear": ("linear", "interpolate"),
    "nearest": ("nn",),
    "crop": ("center_crop", "centercrop"),
    "pad": ("letterbox",),
    "stretch": ("squash", "resize", "warp"),
    "error": ("raise", "fail", "stop"),
    "skip": ("ignore", "warn", "drop"),
}
"""Our value, and other words for it."""

MEANINGS = {"max_drop": "It says how much of the headline metric may be lost, such as 0.01."}
"""What a missing key that somebody may not know is for."""

NOT_NEEDED: dict[str, str] = {
    "in_channels": "Leave it out: it follows from what comes before.",
    "in_features": "Leave it out: it follows from what comes before.",
    "input_dim": "Leave it out: it follows from what comes before.",
    "input_shape": "Leave it out: it follows from 'data.preprocessing'.",
    "loss": "Leave it out: the task chooses its loss.",
    "losses": "Leave it out: the task chooses its loss.",
    "criterion": "Leave it out: the task chooses its loss.",
    "metrics": "Leave it out: the task reports its metrics.",
    "shuffle": "Leave it out: training always shuffles.",
    "workers": "Leave it out: it is chosen by itself.",
    "num_workers": "Leave it out: it is chosen by itself.",
    "device": "Leave it out: the hardware that is there is used.",
    "gpus": "Leave it out: the hardware that is there is used.",
    "gpu": "Leave it out: the hardware that is there is used.",
    "head": "Leave it out: the head belongs to the task.",
    "include_top": "Leave it out: the head belongs to the task.",
    "trainable": "Say what learns in training.phases, such as {name: head, epochs: 5, freeze: backbone}.",
    "freeze": "Say what learns in training.phases, such as {name: head, epochs: 5, freeze: backbone}.",
    "verbose": "Leave it out: progress is always shown.",
}
"""Keys of other tools that have nothing to stand for here."""


def plain_word(word: str) -> str:
    """Return a word without case and separators, so that `imgSize`, `img-size` and `img_size` are one."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


def foreign(word: str, known: Iterable[str], table: dict[str, tuple[str, ...]]) -> str | None:
    """Return our word for another tool's `word`, if ours is among the `known`."""
    wanted = plain_word(word)
    for ours in known:
        if any(plain_word(theirs) == wanted for theirs in table.get(ours, ())):
            return ours
    return None


def suggestion(word: str, known: Sequence[str], table: dict[str, tuple[str, ...]]) -> str | None:
    """Return the known word that was probably meant: spelt differently, of another tool, or misspelt."""
    wanted = plain_word(word)
    same = next((ours for ours in known if plain_word(ours) == wanted), None)
    return same or foreign(word, known, table) or nearest(word, list(known))
