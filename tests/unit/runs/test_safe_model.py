"""Model files of unknown origin."""

import zipfile

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.safe_model import check_archive, load_keras


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    file = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(file)
    return file


def repacked(source, target, change):
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def test_an_honest_model_opens(model_file):
    model = load_keras(model_file)
    assert model.count_params() == 3
    assert not model.compiled


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update({"../outside.txt": b"x"}), "holds what no Keras model holds"),
        (lambda m: m.update({"/etc/outside": b"x"}), "holds what no Keras model holds"),
        (lambda m: m.pop("config.json"), "lacks config.json"),
        (lambda m: m.update({"config.json": b" " * (70 << 20)}), "would unpack config.json to 73,400,320 bytes"),
        (lambda m: m.update({"model.weights.h5": b"\0" * (70 << 20)}), "would unpack model.weights.h5"),
        (lambda m: m.update({"config.json": b'{"module": "os", "class_name": "system", "config": {}}'}), "cannot be"),
        (lambda m: m.update({"model.weights.h5": b"no hdf5"}), "cannot be opened"),
    ],
)
def test_a_bad_archive_is_refused(model_file, tmp_path, change, words):
    with pytest.raises(ProblemError, match=words):
        load_keras(repacked(model_file, tmp_path / "bad.keras", change))


@pytest.mark.parametrize("part", [b"class_name", b"HDF"], ids=["config", "weights"])
def test_a_byte_that_a_disk_lost_is_told(model_file, tmp_path, part):
    content = bytearray(model_file.read_bytes())
    content[content.index(part)] ^= 1
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ProblemError, match="cannot be opened as a Keras model"):
        load_keras(tmp_path / "model.keras")


def test_code_in_a_model_is_refused(tmp_path):
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save(tmp_path / "code.keras")
    with pytest.raises(ProblemError, match="Lambda"):
        load_keras(tmp_path / "code.keras")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and then nothing"])
def test_what_is_no_archive_is_told(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ProblemError, match="is no Keras model file"):
        check_archive(tmp_path / "model.keras")
    with pytest.raises(ProblemError, match="cannot be read"):
        check_archive(tmp_path / "missing.keras")
