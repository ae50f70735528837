"""Take part in a training whose chief runs elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from cnnpipe.cluster import Cluster, Together
from cnnpipe.cluster import join as joined
from cnnpipe.cluster.link import Gone
from cnnpipe.data import load_data
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs.fitting import build, check_same_data
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import versions
from cnnpipe.training import follow, make_deterministic


def join(
    chief: str,
    overrides: Sequence[str] = (),
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
) -> int:
    """Compute parts of the batches of another process's training, until it ends. All results are with the chief.

    Args:
        chief: HOST:PORT where the chief listens.
        overrides: What is otherwise on this host, such as `data.source.path=/data/photos`.
        runs_folder: Features of frozen layers are kept below it.
        listener: Hears of the data.

    Returns:
        The number of epochs.

    Raises:
        ProblemError: There is no chief, or this host has other data or other versions.
        WorkerLost: The chief is gone.
    """
    from cnnpipe.quiet import quiet_tensorflow

    hears = listener or Listener()
    cluster, greeting = joined(chief)
    with closing(cluster):
        try:
            _check_versions(greeting["versions"])
            quiet_tensorflow()
            cluster.connect(greeting["addresses"])
            loaded = _recipe(greeting, overrides)
            return _follow(loaded, cluster, Path(runs_folder), hears)
        except ProblemError as error:
            _tell(cluster, error)
            raise


def join_here(chief: str, runs_folder: str) -> int:
    """Take part as a process that the chief has started."""
    return join(chief, (), runs_folder)


def _follow(loaded: LoadedRecipe, cluster: Cluster, runs_folder: Path, listener: Listener) -> int:
    listener.stage("reading")
    data = load_data(loaded, listener)
    check_same_data(cluster, data)
    compiled, recipe = compile_recipe(loaded, data.facts), loaded.recipe
    make_deterministic(recipe.seed, recipe.training.deterministic)
    listener.stage("training")
    return follow(loaded, data, build(compiled.trained), runs_folder, cluster)


def _recipe(greeting: Mapping[str, Any], overrides: Sequence[str]) -> LoadedRecipe:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{greeting['name']}.yaml")
        file.write_text(greeting["recipe"], encoding="utf-8")
        return load_recipe(file, overrides)


def _check_versions(chief: Mapping[str, str]) -> None:
    own = versions()
    differing = [
        f"{name} {own.get(name)} (the chief has {chief[name]})" for name in chief if own.get(name) != chief[name]
    ]
    if differing:
        raise ProblemError(Problem(f"other versions are installed here: {', '.join(differing)}"))


def _tell(cluster: Together, error: ProblemError) -> None:
    with suppress(Gone):
        cluster.fail("; ".join(problem.message for problem in error.problems))
