"""Zip files of bundles: what is unpacked, and what is refused before a byte is written."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from cnnpipe.bundle import unpack
from cnnpipe.bundle.unpack import unpacked
from cnnpipe.errors import ProblemError


def zipped(file: Path, *entries: tuple[str | zipfile.ZipInfo, str]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("folder", ["", "generic-int8/"])
def test_a_bundle_lies_at_the_top_or_in_its_only_folder(tmp_path: Path, folder: str) -> None:
    file = zipped(tmp_path / "b.zip", (f"{folder}bundle.json", "{}"), (f"{folder}samples/00.png", "x"))
    with unpacked(file) as found:
        assert (found / "samples" / "00.png").read_text() == "x"
    assert not found.exists()


def test_a_folder_and_its_manifest_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    for given in (tmp_path, tmp_path / "bundle.json"):
        with unpacked(given) as found:
            assert found == tmp_path


def test_a_run_is_told_from_its_bundles(tmp_path: Path) -> None:
    bundle = tmp_path / "0001" / "exports" / "generic-int8"
    bundle.mkdir(parents=True)
    (bundle / "bundle.json").write_text("{}")
    with pytest.raises(ProblemError) as caught, unpacked(tmp_path / "0001"):
        pass
    (problem,) = caught.value.problems
    assert problem.message.endswith("0001 is a run, no bundle")
    assert problem.hint == f"Give one of its bundles: {bundle}."


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../out.txt", r"the path '\.\./out\.txt', which leads out of its folder"),
        ("a/../../out.txt", "leads out of its folder"),
        ("/tmp/out.txt", "leads out of its folder"),
        ("C:\\out.txt", "leads out of its folder"),
        (_link(), "the link 'link'"),
        ("BUNDLE.json", "twice"),
        ("bundle.json/x", "no zip file, or a damaged one"),
    ],
    ids=str,
)
def test_an_evil_entry_is_refused(tmp_path: Path, name: str | zipfile.ZipInfo, said: str) -> None:
    file = zipped(tmp_path / "b.zip", ("bundle.json", "{}"), (name, "/etc/passwd"))
    with pytest.raises(ProblemError, match=said), unpacked(file):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip"]


def test_too_much_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(tmp_path / "b.zip", ("bundle.json", "{}"), ("zeros", "0" * 100_000))
    assert file.stat().st_size < 1000
    monkeypatch.setattr(unpack, "MOST_BYTES", 50_000)
    with (
        pytest.raises(ProblemError, match="to 100,002 bytes; a bundle has at most 50,000"),
        unpacked(file),
    ):
        pass
    monkeypatch.setattr(unpack, "MOST_FILES", 1)
    with pytest.raises(ProblemError, match="holds 2 files"), unpacked(file):
        pass


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(200)])
def test_what_is_no_bundle_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with (
        pytest.raises(ProblemError, match=r"b\.zip (is no zip file|holds no bundle\.json)"),
        unpacked(tmp_path / "b.zip"),
    ):
        pass
    with pytest.raises(ProblemError, match="does not exist"), unpacked(tmp_path / "none.zip"):
        pass


def test_an_entry_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", "0" * 100_000)
    data = stream.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(ProblemError, match="Bad CRC"), unpacked(tmp_path / "b.zip"):
        pass
