"""Loading recipes: by name and by file, with `extends` and `--set`, and who set each value."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.errors import Place, ProblemError
from cnnpipe.recipe.compiled import compile_recipe, gate_warnings, lag_warnings
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.task import Facts

BASE = """\
task: {type: image_classification, classes: 3}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [32, 32]}
model:
  blocks:
    - {type: conv, filters: 8, name: stem}
    - global_average_pooling
training: {epochs: 3, batch_size: 16, optimizer: {type: sgd, momentum: 0.9}}
"""


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.yaml").write_text(BASE)
    return tmp_path


def write(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / name).write_text(text)
    return name


def problems(recipe, overrides=()):
    with pytest.raises(ProblemError) as caught:
        load_recipe(recipe, overrides)
    return [str(problem) for problem in caught.value.problems]


LARGE_DENSE = {"vgg16", "vgg19"}
"""Published networks that really have more weights in a dense layer than `check` lets pass without a word."""


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_shipped_recipes_load_by_name_from_any_folder_and_have_no_problems(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = load_recipe(name)
    assert loaded.name == name and loaded.folder == shipped_recipes()[name].parent
    problems = compile_recipe(loaded).problems
    assert not loaded.warnings and all("million weights" in problem.message for problem in problems)
    assert bool(problems) == (name in LARGE_DENSE)


def test_unknown_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert problems("digist") == ["there is no recipe 'digist'. Did you mean 'digits'?"]
    write(tmp_path, BASE, "flowers.yaml")
    assert problems("flowers") == ["there is no recipe 'flowers'. Did you mean 'flowers.yaml'?"]
    assert problems("qqqqqq")[0].startswith("there is no recipe 'qqqqqq'. Name a file, or a shipped recipe: ")


def test_a_file_is_taken_before_a_shipped_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, BASE, "digits")
    assert load_recipe("digits").recipe.training.epochs == 3


def test_name_of_runs_is_that_of_the_file_unless_said(base):
    assert load_recipe(write(base, BASE, "my photos (2).yaml")).recipe.name == "my-photos-2"
    assert load_recipe(write(base, "name: other\n" + BASE)).recipe.name == "other"


def test_extends_merges_mappings_and_replaces_lists_and_other_types(base):
    loaded = load_recipe(write(base, """\
extends: shared/base.yaml
training: {batch_size: 8, optimizer: {type: adam, learning_rate: 1e-2}}
model: {blocks: [flatten]}
"""))  # fmt: skip
    training = loaded.recipe.training
    assert (training.epochs, training.batch_size) == (3, 8)
    assert training.optimizer.model_dump(include={"type", "learning_rate"}) == {"type": "adam", "learning_rate": 0.01}
    assert [block.type for block in loaded.recipe.model.blocks] == ["flatten"]


def test_extends_merges_a_mapping_whose_type_stays(base):
    same = load_recipe(
        write(base, "extends: shared/base.yaml\ntraining: {optimizer: {type: sgd, learning_rate: 0.5}}\n")
    )
    assert (same.recipe.training.optimizer.momentum, same.recipe.training.optimizer.learning_rate) == (0.9, 0.5)
    unsaid = load_recipe(write(base, "extends: shared/base.yaml\ntraining: {optimizer: {learning_rate: 0.5}}\n"))
    assert unsaid.recipe.training.optimizer == same.recipe.training.optimizer


def test_one_override_needs_no_list(base):
    assert load_recipe("digits", "training.epochs=3").recipe.training.epochs == 3


def test_extends_keeps_the_type_of_a_bare_name(base):
    (base / "shared" / "bare.yaml").write_text("extends: base.yaml\ntraining: {optimizer: rmsprop}\n")
    loaded = load_recipe(write(base, "extends: shared/bare.yaml\ntraining: {optimizer: {learning_rate: 0.5}}\n"))
    assert (loaded.recipe.training.optimizer.type, loaded.recipe.training.optimizer.learning_rate) == ("rmsprop", 0.5)
    assert loaded.provenance["training.optimizer.type"] == "bare.yaml:2"


def test_extends_replaces_a_word_that_is_no_component(base):
    section = "model: {blocks: null, backbone: {type: mobilenet_v2, weights: %s}}\n"
    (base / "shared" / "named.yaml").write_text("extends: base.yaml\n" + section % "imagenet")
    loaded = load_recipe(write(base, "extends: shared/named.yaml\n" + section % "{file: mine.h5}"))
    assert loaded.recipe.model.backbone.weights.file == str(base / "mine.h5")


def test_extends_replaces_a_mapping_whose_type_was_implied(base):
    (base / "adam.yaml").write_text("extends: digits.yaml\ntraining: {optimizer: {type: sgd}}\n")
    (base / "digits.yaml").write_text(
        "task: {type: image_classification, classes: 10}\n"
        "data: {source: digits, preprocessing: {image_size: [16, 16], color_mode: grayscale}}\n"
        "model: {blocks: [flatten]}\ntraining: {epochs: 1, optimizer: {learning_rate: 0.25}}\n"
    )
    assert load_recipe(base / "adam.yaml").recipe.training.optimizer.learning_rate == 0.01  # that of sgd
    (base / "adam.yaml").write_text("extends: digits.yaml\ntraining: {optimizer: {type: adam, beta_1: 0.8}}\n")
    kept = load_recipe(base / "adam.yaml").recipe.training.optimizer
    assert (kept.learning_rate, kept.beta_1) == (0.25, 0.8)


def test_a_loaded_recipe_is_loaded(base):
    loaded = load_recipe("digits")
    assert load_recipe(loaded) is loaded
    with pytest.raises(ProblemError, match="a loaded recipe takes no changes"):
        load_recipe(loaded, ["training.epochs=3"])


def test_extends_over_two_files(base):
    (base / "shared" / "middle.yaml").write_text("extends: base.yaml\nseed: 5\ntraining: {epochs: 4}\n")
    loaded = load_recipe(write(base, "extends: shared/middle.yaml\ntraining: {batch_size: 2}\n"))
    assert loaded.recipe.seed == 5
    assert (loaded.recipe.training.epochs, loaded.recipe.training.batch_size) == (4, 2)
    assert loaded.provenance["training.epochs"] == "middle.yaml:3"
    assert loaded.provenance["task.classes"] == "base.yaml:1"
    assert loaded.place_of(("training", "epochs")) == Place("shared/middle.yaml", 3, 12)


def test_paths_belong_to_the_file_that_says_them(base):
    inherited = load_recipe(write(base, "extends: shared/base.yaml\n"))
    assert inherited.recipe.data.source.path == str(base / "shared" / "photos")
    own = load_recipe(write(base, "extends: shared/base.yaml\ndata: {source: {path: ../mine}}\n"))
    assert own.recipe.data.source.path == str(base.parent / "mine")
    (base / "elsewhere").mkdir()
    command_line = load_recipe("shared/base.yaml", ["data.source.path=here"])
    assert command_line.recipe.data.source.path == str(base / "here")
    absolute = load_recipe("shared/base.yaml", ["data.source.path=/somewhere"])
    assert absolute.recipe.data.source.path == "/somewhere"


def test_overrides_address_blocks_by_number_and_by_name(base):
    loaded = load_recipe("shared/base.yaml", ["model.blocks.stem.filters=4", "model.blocks.0.strides=2", "seed=7"])
    assert (loaded.recipe.model.blocks[0].filters, loaded.recipe.model.blocks[0].strides) == (4, 2)
    assert loaded.provenance["model.blocks.0.filters"] == "--set 1"
    assert loaded.provenance["seed"] == "--set 3"
    assert loaded.provenance["model.blocks.0.name"] == "base.yaml:7"
    assert [str(setting) for setting in loaded.settings] == [
        "--set 1: model.blocks.0.filters (stem), shared/base.yaml:7:20, was 8",
        "--set 2: model.blocks.0.strides, was not set",
        "--set 3: seed, was not set",
    ]


def test_overrides_take_any_value_and_the_last_one_wins(base):
    loaded = load_recipe("shared/base.yaml", [
        "data.preprocessing.image_size=[48, 64]",
        "training.early_stopping.patience=2",
        "training.optimizer=adam",
        "training.optimizer.learning_rate=1e-2",
        "training.epochs=9",
        "training.epochs=8",
        "model.blocks.1={type: flatten, name: end}",
        "data.source.class=x",
        "data.source={type: csv, path: a=b.csv}",
    ])  # fmt: skip
    recipe = loaded.recipe
    assert recipe.data.preprocessing.image_size == (48, 64)
    assert recipe.training.early_stopping.patience == 2
    assert (recipe.training.optimizer.type, recipe.training.optimizer.learning_rate) == ("adam", 0.01)
    assert recipe.training.epochs == 8
    assert (recipe.model.blocks[1].type, recipe.model.blocks[1].name) == ("flatten", "end")
    assert recipe.data.source.path == str(base / "a=b.csv")


def test_an_override_of_type_leaves_no_key_of_the_old_one(base):
    loaded = load_recipe("shared/base.yaml", ["training.optimizer.type=adam"])
    assert loaded.recipe.training.optimizer.type == "adam"


def test_overrides_reach_into_a_bare_name(base):
    loaded = load_recipe("shared/base.yaml", ["model.blocks.1.name=pool", "data.source=digits", "task.classes=10"])
    assert (loaded.recipe.model.blocks[1].type, loaded.recipe.model.blocks[1].name) == (
        "global_average_pooling",
        "pool",
    )
    assert loaded.provenance["model.blocks.1.type"] == "base.yaml:8"


def test_problems_of_parents_files_and_command_line_come_at_once_in_order(base):
    (base / "shared" / "base.yaml").write_text(BASE.replace("filters: 8", "filters: eight"))
    assert problems(write(base, "extends: shared/base.yaml\nseed: -1\n"), ["training.epochs=0", "nothing"]) == [
        "--set 1: training.epochs: expected a number of at least 1 (received 0).",
        "--set 2: expected PATH=VALUE (received 'nothing'). For example: training.epochs=3.",
        "mine.yaml:2:1: seed: expected a number of at least 0 (received -1).",
        "shared/base.yaml:7:20: model.blocks.0.filters: expected a whole number (received 'eight').",
    ]


def test_default_values_say_so(base):
    loaded = load_recipe("shared/base.yaml")
    assert loaded.provenance["training.restore"] == "default"
    assert loaded.provenance["training.optimizer.type"] == "base.yaml:9"
    assert loaded.provenance["data.preprocessing.type"] == "default"
    assert loaded.provenance["name"] == "default"


def test_a_target_that_cannot_run_a_quantization(base, monkeypatch):
    from cnnpipe.targets.generic import Generic

    monkeypatch.setattr(Generic, "input_types", {"none": "float32"})
    recipe = write(base, BASE + "export: [{target: generic, quantization: int8}]\n")
    assert problems(recipe) == [
        "mine.yaml:10:28: export.0.quantization: the target 'generic' cannot run 'int8'. It runs none."
    ]


def test_a_source_that_lacks_what_the_task_needs(base, monkeypatch):
    from cnnpipe.datasets.image_folder import ImageFolder

    monkeypatch.setattr(ImageFolder, "keys", frozenset({"images"}))
    assert problems("shared/base.yaml") == [
        "shared/base.yaml:3:3: data.source: the source 'image_folder' gives no 'labels', and 'image_classification' "
        "needs them. Sources that do: coco, csv, csv_boxes, digits, idx, mask_folder, numpy, pascal_voc, "
        "synthetic_shapes, tfds, yolo."
    ]


def test_facts_come_from_the_recipe_the_source_or_the_caller(base):
    loaded = load_recipe("shared/base.yaml")
    assert compile_recipe(loaded).facts.class_names == ("0", "1", "2")
    facts = Facts(loaded.recipe.data.preprocessing, ("a", "b", "c"))
    assert compile_recipe(loaded, facts).facts is facts
    with pytest.raises(ProblemError, match=r"shared/base.yaml:1:36: task.classes: .*the data has 2"):
        compile_recipe(loaded, Facts(loaded.recipe.data.preprocessing, ("a", "b")))
    digits = load_recipe("shared/base.yaml", ["task={type: image_classification}", "data.source=digits"])
    assert len(compile_recipe(digits).facts.class_names) == 10


def test_a_drop_below_one_example_is_a_warning_at_its_line(base):
    text = BASE + "export:\n  - {target: generic, max_drop: 0.01}\n  - {target: generic, quantization: int8}\n"
    loaded = load_recipe(write(base, text))
    assert not list(gate_warnings(loaded, 100))
    (warning,) = gate_warnings(loaded, 50)
    assert warning.severity == "warning" and str(warning.place) == "mine.yaml:11:23"
    assert "less than one of 50 validation examples (0.02)" in warning.message
    many = load_recipe(
        "shared/base.yaml", ["task.label_mode=multi_label", "export=[{target: generic, max_drop: 0.01}]"]
    )
    assert not list(gate_warnings(many, 50))  # a mean over examples is no share of them


def test_a_training_too_short_for_batch_normalization_is_a_warning_at_its_block(base):
    loaded = load_recipe("digits", ["model.blocks.stem.batch_normalization=true", "training.epochs=4"])
    graphs = compile_recipe(loaded).graphs
    (warning,) = lag_warnings(loaded, graphs, 640)
    assert warning.path == "model.blocks.0" and "40 steps are too few for BatchNorm" in warning.message
    assert "keep 67% of their start values" in warning.message
    assert not list(lag_warnings(loaded, graphs, 6400))
    assert not list(lag_warnings(load_recipe("digits"), compile_recipe(load_recipe("digits")).graphs, 64))


def test_preprocessing_of_something_that_the_source_does_not_give(base, monkeypatch):
    from cnnpipe.preprocessing.image import Image

    monkeypatch.setattr(Image, "key", "audio")
    assert problems("shared/base.yaml") == [
        "shared/base.yaml:4:3: data.preprocessing: 'image' works on 'audio', and the source 'image_folder' gives only "
        "images, labels. Choose another kind of preprocessing."
    ]


def test_an_empty_path_is_not_the_folder_itself(base):
    assert problems("shared/base.yaml", ["data.source.path=''"]) == [
        "--set 1: data.source.path: expected text that is not empty (received '')."
    ]


@pytest.mark.parametrize(("name", "level"), [("vgg16", "P3"), ("resnet50", "P4")])
def test_published_weights_are_tuned_after_the_head_where_layers_are_left_to_tune(name, level):
    head, tuned = load_recipe(name, ["model.backbone.weights=imagenet"]).recipe.training.phases
    assert (head.freeze, tuned.freeze) == ("backbone", level)
