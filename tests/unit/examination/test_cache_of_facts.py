"""What was seen once need not be decoded again, and that is said; a damaged cache is no harm."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnpipe.events import Listener
from cnnpipe.examination import cache, examine
from cnnpipe.jobs.doctor import doctor

RECIPE = """\
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [16, 16]}
model: {blocks: [{type: conv_relu_pool, filters: 2}]}
training: {epochs: 1}
"""


class Heard(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_facts_are_kept_by_content(
    tmp_path: Path, make_photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = make_photos(tmp_path / "photos", {"circle": 30, "square": 30}, size=(24, 24))
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    decoded: list[object] = []
    look = examine.look_at
    monkeypatch.setattr(examine, "look_at", lambda raw: decoded.append(raw) or look(raw))

    def diagnose() -> tuple[object, list[str]]:
        heard = Heard()
        return doctor(tmp_path / "small.yaml", (), tmp_path / "runs", listener=heard).as_json(), heard.notes

    first, notes = diagnose()
    assert len(decoded) == 60
    assert notes == []
    shutil.move(photos / "circle" / "0.jpg", photos / "circle" / "moved.jpg")
    (photos / "circle" / "1.jpg").write_bytes(b"broken")
    second, notes = diagnose()
    assert len(decoded) == 61
    assert notes == [
        "59 of 59 pictures have the content of an earlier diagnosis; what was found then is kept in "
        f"{tmp_path / 'runs' / cache.FILE}"
    ]
    assert first != second
    (tmp_path / "runs" / cache.FILE).write_bytes(b"damaged")
    third, notes = diagnose()
    assert len(decoded) == 61 + 60
    assert notes == []
    assert third == second


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(tmp_path / "photos", {"circle": 3, "square": 3}, size=(24, 24))
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "runs").write_text("no folder")
    heard = Heard()
    doctor(tmp_path / "small.yaml", (), tmp_path / "runs", listener=heard)
    assert len(heard.notes) == 1
    assert "cannot be written" in heard.notes[0]
