"""What all tests share: real data from outside of the project, and pictures made on the spot."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

VARIABLE = "CNNPIPE_TEST_DATA"
DESELECTED = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background may have it ignored
    config.addinivalue_line("markers", f"real_data: reads real data from the folder that {VARIABLE} names")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real data where there is none."""
    left_out = [] if os.environ.get(VARIABLE) else [item for item in items if item.get_closest_marker("real_data")]
    config.stash[DESELECTED] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(DESELECTED, 0):
        terminalreporter.write_line(f"Tests on real data left out, as {VARIABLE} is not set: {count}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test on real data be skipped: with the variable set, each runs or fails."""
    report = yield
    if item.get_closest_marker("real_data") and report.skipped:
        report.outcome, report.longrepr = "failed", f"a test on real data may not be skipped: {report.longrepr}"
    return report


@pytest.fixture
def real_data() -> Path:
    """The folder with real data; only for tests with the marker of the same name."""
    folder = Path(os.environ[VARIABLE])
    if not folder.is_dir():
        pytest.fail(f"{VARIABLE} names {folder}, which is no folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def make_photos() -> Callable[..., Path]:
    """Return a function that fills a folder with JPEG photos, each of another content.

    `make_photos(folder, {"circle": 8, "square": 8}, size=(60, 80))` writes `folder/circle/0.jpg`, …; a class that is
    called like a shape shows it.
    """

    def make(folder: Path, classes: Mapping[str, int], size: tuple[int, int] = (60, 80), seed: int = 0) -> Path:
        from PIL import Image

        from cnnpipe.datasets.synthetic_shapes import SyntheticShapes

        shapes = ("circle", "square", "triangle", "star")
        for number, (name, count) in enumerate(classes.items()):
            shape = name if name in shapes else shapes[number % len(shapes)]
            source = SyntheticShapes.model_validate(
                {"examples": count, "image_size": size, "classes": (shape,), "seed": seed * 100 + number}
            )
            (folder / name).mkdir(parents=True)
            for position, example in enumerate(source.open(folder).examples):
                Image.fromarray(example.read()["images"]).save(folder / name / f"{position}.jpg", quality=90)
        return folder

    return make
