"""Reading a folder of JPEGs against `keras.utils.image_dataset_from_directory`: run by hand, quietly.

    python tests/benchmarks/input_pipeline.py            # speed at 320x320 and 640x640: some minutes
    python tests/benchmarks/input_pipeline.py fit        # a whole fit, with validation in every epoch
    python tests/benchmarks/input_pipeline.py memory     # peak memory at 1,000 and 50,000 pictures

Speed: both read the same files to 96x96 in batches of 32, in one process and in turns, and change places every turn;
the median turn counts. The first epoch of cnnpipe is listing and reading, with digests, splits and targets, and then a
pass over the batches; that of Keras is listing and a pass. All pictures are for training on both sides, but two each
for validation and test, which a recipe must have. A real recipe has more: they are read before the first epoch too, and
as exactly as a client reads them, which takes longer.

Fit: the same network and as many epochs, from the folder to the last weights. A hundred pictures each are for
validation, in every epoch on both sides, and for test, which only cnnpipe reads.

CPU seconds are user and system time of all threads: where other work shares the cores, they tell more than the wall.

Memory: anonymous memory is what a process holds itself; mapped files are pages of the disk's cache, which the system
takes back when it needs them. Each measurement is a process of its own, the examples that it makes are deleted.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES, INPUT, BATCH, EPOCHS = 1000, 96, 32, 10
TURNS = {"speed": 5, "fit": 3}
BLOCKS = [{"type": "conv_relu_pool", "filters": filters} for filters in (16, 32, 64)] + ["global_average_pooling"]


def photo(random, side):
    """Return a JPEG of waves, edges and noise, as large as a photo of its size."""
    y, x = np.mgrid[:side, :side]
    waves = [127 + 90 * np.sin(x / random.uniform(3, 40) + y / random.uniform(3, 40)) for _ in range(3)]
    picture = np.dstack(waves) + random.normal(0, 8, (side, side, 3))
    for _ in range(6):
        top, left = random.integers(0, side * 3 // 4, 2)
        picture[top : top + side // 5, left : left + side // 5] = random.uniform(0, 255, 3)
    stream = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=88)
    return stream.getvalue()


def make_folder(folder, splits, side, kinds):
    """Write so many pictures of two classes for each split: the same few kinds, each with other bytes at its end."""
    random = np.random.default_rng(0)
    contents = [photo(random, side) for _ in range(kinds)]
    for split, count in splits.items():
        for name in "ab":
            (folder / split / name).mkdir(parents=True)
        for number in range(count):
            content = contents[number % kinds] + f"{split}{number}".encode()
            (folder / split / "ab"[number % 2] / f"{number:06d}.jpg").write_bytes(content)


def load_recipe_for(folder, **data):
    from cnnpipe.recipe.load import load_recipe

    recipe = {
        "name": "benchmark",
        "task": {"type": "image_classification"},
        "data": {
            "source": {"type": "image_folder", "path": str(folder)},
            "preprocessing": {"image_size": [INPUT, INPUT]},
            **data,
        },
        "model": {"blocks": BLOCKS},
        "training": {"epochs": EPOCHS, "batch_size": BATCH, "restore": "last"},
    }
    file = folder.with_suffix(".json")
    file.write_text(json.dumps(recipe))
    return load_recipe(file)


# ── speed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def timed(function):
    before = time.perf_counter(), time.process_time()
    result = function()
    return result, np.array([time.perf_counter() - before[0], time.process_time() - before[1]])


def passed_over(batches):
    for _ in batches:
        pass


def compare(what, turn, side, others):
    """Print the medians of what turns measured; `others`: how many pictures are for validation, and for test."""
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "photos")
        make_folder(folder, {"train": PICTURES, "val": others, "test": others}, side, PICTURES)
        size = np.mean([file.stat().st_size for file in folder.rglob("*.jpg")])
        print(f"{PICTURES} JPEGs of {side}x{side}, {size / 1000:.0f} kB on average, to {INPUT}x{INPUT}; batch {BATCH}")
        turn(folder)  # what is done once in a process belongs to nobody's time
        turns = [turn(folder, bool(number % 2)) for number in range(TURNS[what])]
    for part in turns[0]:
        theirs, mine = (np.array([turn[part][who] for turn in turns]) for who in (0, 1))
        for unit, number in (("wall", 0), ("CPU", 1)):
            ratios = np.sort(theirs[:, number] / mine[:, number])
            print(
                f"  {part:12} {unit:4} keras {np.median(theirs[:, number]):.3f} s, cnnpipe "
                f"{np.median(mine[:, number]):.3f} s: {np.median(ratios):.2f} times as fast "
                f"({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )


def in_turn(theirs, mine, mine_first):
    """Return what both gave, Keras first, called in this order."""
    if mine_first:
        result = mine()
        return theirs(), result
    return theirs(), mine()


def reading_turn(folder, mine_first=False):
    import keras

    from cnnpipe.batches import training_batches
    from cnnpipe.data import load_data
    from cnnpipe.events import Listener

    loaded, steps = load_recipe_for(folder), -(-PICTURES // BATCH)

    def keras_first():
        dataset = keras.utils.image_dataset_from_directory(
            folder / "train", image_size=(INPUT, INPUT), batch_size=BATCH, verbose=False
        )
        passed_over(dataset)
        return dataset

    def first():
        data = load_data(loaded, Listener())
        passed_over(training_batches(data.splits["training"], BATCH, 0, 0, steps))
        return data

    def later(data):
        """Twenty epochs: one is too short to be measured."""
        return timed(lambda: passed_over(training_batches(data.splits["training"], BATCH, 0, 0, steps * 20)))[1] / 20

    (dataset, theirs), (data, mine) = in_turn(lambda: timed(keras_first), lambda: timed(first), mine_first)
    again = in_turn(lambda: timed(lambda: passed_over(dataset))[1], lambda: later(data), mine_first)
    return {"first epoch": (theirs, mine), "later epochs": again}


def fit_turn(folder, mine_first=False):
    """Fit the same network on the same pictures, from the folder to the last weights, with validation."""
    import keras

    from cnnpipe.build import build_model
    from cnnpipe.data import known_facts, load_data
    from cnnpipe.events import Listener
    from cnnpipe.runs import create_run
    from cnnpipe.training import fit

    loaded = load_recipe_for(folder)
    recipe = loaded.recipe
    facts = known_facts(recipe, recipe.data.source.open(loaded.folder))
    (graph,) = recipe.task.networks(recipe.model, facts, loaded.place_of).values()

    def mine():
        data = load_data(loaded, Listener())
        graphs = recipe.task.networks(recipe.model, data.facts, loaded.place_of)
        models = {name: build_model(graph) for name, graph in graphs.items()}
        fit(loaded, data, models, create_run(folder.parent / "runs", "benchmark"), Listener())

    def theirs():
        options = {"image_size": (INPUT, INPUT), "batch_size": BATCH, "verbose": False}
        training, validation = (
            keras.utils.image_dataset_from_directory(folder / split, **options) for split in ("train", "val")
        )
        model = build_model(graph)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(training, validation_data=validation, epochs=EPOCHS, verbose=0)

    their_time, my_time = in_turn(lambda: timed(theirs)[1], lambda: timed(mine)[1], mine_first)
    return {f"{EPOCHS} epochs": (their_time, my_time)}


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def memory():
    print(f"peak of anonymous memory in MB (of mapped files), 96x96 JPEGs, inputs of {INPUT}x{INPUT}")
    for count in (1_000, 50_000):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "photos")
            make_folder(folder, {"train": count - 200, "val": 100, "test": 100}, 96, 200)
            for budget in (2.0, 0.1):
                arguments = [sys.executable, __file__, "memory_of", str(folder), str(budget)]
                result = subprocess.run(arguments, capture_output=True, text=True, check=True)
                print(f"{count:6,} pictures, budget {budget} GiB: {result.stdout.strip()}", flush=True)


def memory_of(folder, budget):
    """Print the peak after listing and reading, and after 200 batches."""
    peak, done = [0, 0], threading.Event()

    def watch():
        while not done.wait(0.05):
            fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            for position, field in enumerate(("RssAnon", "RssFile")):
                peak[position] = max(peak[position], int(fields[field].split()[0]) // 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        from cnnpipe.data import load_data
        from cnnpipe.events import Listener

        begun = time.perf_counter(), time.process_time()
        data = load_data(load_recipe_for(Path(folder), memory_budget=float(budget)), Listener())
        taken = time.perf_counter() - begun[0], time.process_time() - begun[1]
        time.sleep(0.2)
        reading = list(peak)
        from cnnpipe.quiet import quiet_tensorflow

        quiet_tensorflow()
        import tensorflow as tf

        from cnnpipe.batches import training_batches

        tf.constant(0)
        peak[:] = 0, 0
        time.sleep(0.2)
        before = list(peak)
        passed_over(training_batches(data.splits["training"], BATCH, 0, 0, 200))
        time.sleep(0.2)
    finally:
        done.set()
        watcher.join()
    pixels = sum(split.inputs["image"].nbytes for split in data.splits.values()) // 2**20
    added = [now - then for now, then in zip(peak, before, strict=True)]
    print(
        f"{reading[0]} ({reading[1]}) while reading, of which {pixels} may be pixels; batches add {added[0]} "
        f"({added[1]}); read in {taken[0]:.1f} s, {taken[1]:.1f} s of CPU"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["memory_of", *arguments]:
            memory_of(*arguments)
        case ["memory"]:
            memory()
        case ["fit"]:
            compare("fit", fit_turn, 320, 100)
        case _:
            for side in (320, 640):
                compare("speed", reading_turn, side, 2)
