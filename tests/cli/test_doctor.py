"""`cnnpipe doctor` as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

Call = Callable[..., Result]
RECIPE = """\
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [16, 16]}
  augmentation: [{type: random_flip, mode: horizontal}]
model: {blocks: [{type: conv_relu_pool, filters: 2}]}
training: {epochs: 1}
"""


@pytest.fixture
def spoiled(tmp_path: Path, make_photos: Callable[..., Path]) -> Path:
    """A recipe whose data has an empty file."""
    make_photos(tmp_path / "photos", {"circle": 12, "square": 12}, size=(24, 24))
    (tmp_path / "photos" / "circle" / "3.jpg").write_bytes(b"")
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    return Path("small.yaml")


def test_data_that_a_run_could_not_use(call: Call, spoiled: Path) -> None:
    done = call("doctor", spoiled, "--no-picture")
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    assert lines[0] == "small: 24 examples"
    assert "error    1 example of 24 cannot be read." in lines
    assert any(line.endswith("circle/3.jpg (the file is empty)") for line in lines)
    assert "         Repair or remove them. Or set data.unreadable: skip." in lines
    assert lines[-1].startswith("1 error, ")
    assert not Path("small-contact-sheet.png").exists()


def test_warnings_are_no_failure_and_json_is_one_object(call: Call, spoiled: Path) -> None:
    done = call("doctor", spoiled, "--set", "data.unreadable=skip", "--json", "--no-picture", "--runs", "mine")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert set(found) == {
        "name", "examples", "splits", "classes", "pictures", "counts", "findings", "sheet",
    }  # fmt: skip
    assert found["sheet"] is None
    (unreadable,) = [finding for finding in found["findings"] if finding["check"] == "unreadable"]
    assert unreadable["severity"] == "warning"
    assert set(unreadable) == {"check", "severity", "message", "count", "examples", "hint", "details"}
    assert Path("mine").is_dir()


def test_the_contact_sheet_shows_pairs_and_mirror_images(call: Call, spoiled: Path) -> None:
    done = call("doctor", spoiled)
    assert "sheet  small-contact-sheet.png" in done.stdout
    with Image.open("small-contact-sheet.png") as sheet:
        assert sheet.width > 12 * 112
        assert 2 * 112 < sheet.height < 3 * 150
    call("doctor", spoiled, "--set", "data.augmentation=[]", "--picture", "plain.png")
    with Image.open("plain.png") as sheet:
        assert 5 * 112 < sheet.width < 7 * 112


def test_a_source_that_cannot_be_listed_stands_at_its_line(call: Call, spoiled: Path) -> None:
    Path("photos/empty").mkdir()
    done = call("doctor", spoiled)
    assert done.exit_code == 2
    assert f"small.yaml:3:3: data.source: the class folder {Path('photos/empty').absolute()} is empty." in done.stderr


def test_the_contact_sheet_shows_mixed_pictures(call: Call, spoiled: Path) -> None:
    done = call("doctor", spoiled, "--set", "data.augmentation=[mix_up, cut_mix]", "--set", "data.unreadable=skip")
    assert (done.exit_code, "sheet  small-contact-sheet.png" in done.stdout) == (0, True)


def test_a_recipe_that_is_wrong(call: Call, spoiled: Path) -> None:
    spoiled.write_text(RECIPE.replace("path: photos", "path: photo"))
    done = call("doctor", spoiled)
    assert done.exit_code == 2
    assert "small.yaml:3:" in done.stderr and "Did you mean" in done.stderr


def test_the_environment(call: Call) -> None:
    done = call("doctor")
    assert done.exit_code == 0
    assert "package" in done.stdout and "tensorflow" in done.stdout
    assert "not asked; --devices does" in done.stdout
    found = json.loads(call("doctor", "--json").stdout)
    assert {"versions", "hardware", "packages", "free", "folders", "devices", "problems"} == set(found)


def test_devices_are_asked_in_another_process(call: Call) -> None:
    assert "CPU:0" in json.loads(call("doctor", "--devices", "--json").stdout)["devices"]


@pytest.mark.parametrize(
    "arguments",
    [["--set", "a=1"], ["--no-picture"], ["digits", "--devices"], ["digits", "--picture", "a.png", "--no-picture"]],
)
def test_options_that_do_not_fit(call: Call, arguments: list[str]) -> None:
    assert call("doctor", *arguments).exit_code == 2


def test_without_augmentation_it_is_light(tmp_path: Path, spoiled: Path) -> None:
    program = (
        "import sys; from cnnpipe.jobs.doctor import doctor\n"
        "doctor('small.yaml', ['data.augmentation=[]'], picture='sheet.png')\n"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert (tmp_path / "sheet.png").is_file()
