"""Reading a folder of JPEGs against `keras.utils.image_dataset_from_directory`: run by hand, quietly.

    python tests/benchmarks/input_pipeline.py            # speed: some minutes
    python tests/benchmarks/input_pipeline.py memory     # peak memory at 1,000 and 50,000 pictures

Speed: both read the same files, 320x320 to 96x96 in batches of 32, in one process and in turns; the median turn counts.
The first epoch of cnnpipe is reading everything, with digests, splits and targets, and then a pass over the batches.
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

PICTURES, SIDE, INPUT, BATCH, ROUNDS, EPOCHS = 600, 320, 96, 32, 5, 6
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


def speed():
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "photos")
        make_folder(folder, {"train": PICTURES, "val": 40, "test": 40}, SIDE, PICTURES)
        size = np.mean([file.stat().st_size for file in folder.rglob("*.jpg")])
        print(f"{PICTURES} JPEGs of {SIDE}x{SIDE}, {size / 1000:.0f} kB on average, to {INPUT}x{INPUT}; batch {BATCH}")
        turns = []
        for number in range(ROUNDS):
            turns.append({**reading_turn(folder), **fit_turn(folder, Path(temporary, f"runs{number}"))})
    for what in ("first epoch", "later epochs", f"fit of {EPOCHS} epochs"):
        theirs, mine = (np.array([turn[f"{who} {what}"] for turn in turns]) for who in ("keras", "cnnpipe"))
        ratios, (wall, cpu) = np.median(theirs / mine, axis=0), np.median(mine, axis=0)
        print(
            f"{what:18} cnnpipe {wall:.3f} s wall {cpu:.3f} s CPU, keras {np.median(theirs, axis=0)[0]:.3f} s wall "
            f"{np.median(theirs, axis=0)[1]:.3f} s CPU: {ratios[0]:.2f} times as fast by wall, {ratios[1]:.2f} by CPU"
        )


def reading_turn(folder):
    import keras

    from cnnpipe.batches import plain_batches, training_batches
    from cnnpipe.data import load_data
    from cnnpipe.events import Listener

    theirs = keras.utils.image_dataset_from_directory(
        folder / "train", image_size=(INPUT, INPUT), batch_size=BATCH, verbose=False
    )
    passed_over(theirs.take(1))
    loaded, steps = load_recipe_for(folder), -(-PICTURES // BATCH)

    def first():
        data = load_data(loaded, Listener())
        passed_over(training_batches(data.splits["training"], BATCH, 0, 0, steps))
        return data

    found = {"keras first epoch": timed(lambda: passed_over(theirs))[1] * (PICTURES + 80) / PICTURES}
    data, found["cnnpipe first epoch"] = timed(first)
    _, found["keras later epochs"] = timed(lambda: passed_over(theirs))
    batches = training_batches(data.splits["training"], BATCH, 0, 0, steps * 20)
    passed_over(plain_batches(data.splits["test"], BATCH))
    found["cnnpipe later epochs"] = timed(lambda: passed_over(batches))[1] / 20
    return found


def fit_turn(folder, runs):
    import keras

    from cnnpipe.build import build_model
    from cnnpipe.data import load_data
    from cnnpipe.events import Listener
    from cnnpipe.runs import create_run
    from cnnpipe.training import fit

    loaded = load_recipe_for(folder)

    def mine():
        data = load_data(loaded, Listener())
        graphs = loaded.recipe.task.networks(loaded.recipe.model, data.facts, loaded.place_of)
        models = {name: build_model(graph) for name, graph in graphs.items()}
        fit(loaded, data, models, create_run(runs, "benchmark"), Listener())
        return graphs

    def theirs(graphs):
        options = {"image_size": (INPUT, INPUT), "batch_size": BATCH, "verbose": False}
        training, validation = (
            keras.utils.image_dataset_from_directory(folder / split, **options) for split in ("train", "val")
        )
        (graph,) = graphs.values()
        model = build_model(graph)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(training, validation_data=validation, epochs=EPOCHS, verbose=0)

    graphs, my_time = timed(mine)
    _, their_time = timed(lambda: theirs(graphs))
    return {f"cnnpipe fit of {EPOCHS} epochs": my_time, f"keras fit of {EPOCHS} epochs": their_time}


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
    if sys.argv[1:2] == ["memory_of"]:
        memory_of(*sys.argv[2:])
    else:
        memory() if sys.argv[1:] == ["memory"] else speed()
