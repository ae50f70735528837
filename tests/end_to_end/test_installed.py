"""The package works however it is installed, from a folder that has `pipelines/` and `recipes/` of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAYS = ["wheel", "wheel from sdist", "editable", "checkout"]
CALL = """
import site, sys
before = list(sys.path)
site.addsitedir({folder!r})
sys.path[:] = [path for path in sys.path if path not in before] + before
sys.argv[0] = "cnnpipe"
from cnnpipe.cli import main
main()
"""


def python(*arguments: object, cwd: Path = ROOT, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python without the environment's own PYTHONPATH."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def pip(*arguments: object) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    done = python("-m", "pip", "install", *quiet, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, the wheel made from it, and in `direct/` the wheel made from the checkout."""
    folder = tmp_path_factory.mktemp("built")
    for options in (["--outdir", folder], ["--wheel", "--outdir", folder / "direct"]):
        done = python("-m", "build", "--no-isolation", *options, ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module", params=WAYS)
def call(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs `cnnpipe` of one way to install it, from a foreign folder."""
    foreign = tmp_path_factory.mktemp("foreign")
    for name in ("pipelines", "recipes/image_classification"):
        (foreign / name).mkdir(parents=True)
    (foreign / "pipelines" / "foreign.py").write_text("raise RuntimeError('never to be imported')\n")
    (foreign / "recipes" / "image_classification" / "foreign.yaml").write_text("not: ours\n")
    (foreign / "pyproject.toml").write_text('[project]\nname = "foreign"\n')
    target = tmp_path_factory.mktemp("installed")
    if request.param == "checkout":
        return lambda *arguments: python("-m", "cnnpipe", *arguments, cwd=foreign, path=ROOT)
    if request.param == "editable":
        pip("--target", target, "--editable", ROOT)
        program = CALL.format(folder=str(target))
        where = program.replace("from cnnpipe.cli import main\nmain()", "import cnnpipe\nprint(cnnpipe.__file__)")
        assert Path(python("-c", where, cwd=foreign).stdout.strip()).parent == ROOT / "cnnpipe"
        return lambda *arguments: python("-c", program, *arguments, cwd=foreign)
    (wheel,) = (built / "direct" if request.param == "wheel" else built).glob("*.whl")
    pip("--target", target, wheel)
    return lambda *arguments: python("-m", "cnnpipe", *arguments, cwd=foreign, path=target)


def test_shipped_recipes_go_by_name(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    checked = call("check", "digits")
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("digits: ok (image_classification on digits, ")


def test_all_components_are_there_and_no_foreign_ones(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    shown = call("list", "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    here = json.loads(python("-m", "cnnpipe", "list", "--json").stdout)
    assert found == here
    assert "image_classification" in found["tasks"]
    assert "foreign" not in str(found)


def test_help_and_version(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert "Commands:" in call("--help").stdout
    assert call("--version").stdout.startswith("cnnpipe, version ")


def test_both_wheels_hold_the_same_and_nothing_foreign(built: Path) -> None:
    (first,), (second,) = built.glob("*.whl"), (built / "direct").glob("*.whl")
    names, again = ({name for name in zipfile.ZipFile(file).namelist()} for file in (first, second))
    assert names == again
    assert "cnnpipe/pipelines/image_classification.py" in names
    assert "cnnpipe/recipes/image_classification/digits.yaml" in names
    assert "cnnpipe/py.typed" in names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"cnnpipe", next(top for top in tops if top.endswith(".dist-info"))}
    assert not [name for name in names if "__pycache__" in name or "test" in name]


def test_the_sdist_holds_what_it_needs(built: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ["pyproject.toml", "README.md", "LICENSE", "pipelines/image_classification.py", "tests/conftest.py"]
    assert not [name for name in wanted if name not in names]
    assert not [name for name in names if "__pycache__" in name]
