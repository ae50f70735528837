"""Pictures whose right answer is known: what the model sees of each kind of file."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pillow

from cnnpipe.graph import GraphBuilder
from cnnpipe.preprocessing.image import Image

UPRIGHT = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def spec(size: tuple[int, int] = (4, 6), **fields: Any) -> Image:
    return Image.model_validate({"image_size": size, **fields})


def encoded(picture: pillow.Image | np.ndarray, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (picture if isinstance(picture, pillow.Image) else pillow.fromarray(picture)).save(file, format, **options)
    return file.getvalue()


def pixel(*values: int, mode: str) -> pillow.Image:
    return pillow.new(mode, (6, 4), values if len(values) > 1 else values[0])


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Write a PNG by hand: its header may promise what its data does not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


# ── file formats and colours ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
def test_lossless_files_arrive_as_they_are(format: str, options: dict[str, Any]) -> None:
    assert np.array_equal(spec().apply(encoded(UPRIGHT, format, **options)), UPRIGHT)


def test_jpeg_arrives_nearly_as_it_is() -> None:
    smooth = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (32, 64, 3))
    seen = spec((32, 64)).apply(encoded(np.ascontiguousarray(smooth), "JPEG", quality=100))
    assert np.abs(seen.astype(int) - smooth).max() <= 3


def test_of_an_animation_the_first_frame_is_seen() -> None:
    for format, options in [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})]:
        first, second = pixel(255, 0, 0, mode="RGB"), pixel(0, 0, 255, mode="RGB")
        content = encoded(first, format, save_all=True, append_images=[second], duration=100, **options)
        assert (spec().apply(content) == [255, 0, 0]).all(), format


def test_red_is_the_first_channel() -> None:
    assert spec().apply(encoded(pixel(200, 100, 50, mode="RGB")))[0, 0].tolist() == [200, 100, 50]


def test_transparent_pixels_show_the_background() -> None:
    content = encoded(pixel(255, 0, 10, 128, mode="RGBA"))
    assert spec().apply(content)[0, 0].tolist() == [255, 127, 132]
    assert spec(background=0).apply(content)[0, 0].tolist() == [128, 0, 5]
    clear = encoded(pixel(255, 0, 10, 0, mode="RGBA"))
    assert spec().apply(clear)[0, 0].tolist() == [255, 255, 255]
    gray = encoded(pixel(100, 51, mode="LA"))
    assert spec(color_mode="grayscale", background=0).apply(gray)[0, 0].tolist() == [20]


def test_palettes_give_their_colours() -> None:
    picture = pillow.new("P", (6, 4), 1)
    picture.putpalette([0, 0, 0, 10, 200, 30])
    assert spec().apply(encoded(picture))[0, 0].tolist() == [10, 200, 30]
    assert spec().apply(encoded(picture, transparency=1))[0, 0].tolist() == [255, 255, 255]
    assert spec(background=7).apply(encoded(picture, "GIF", transparency=1))[0, 0].tolist() == [7, 7, 7]


def test_16_bit_gray_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 257, 511, 12850, 65534, 65535]], np.uint16)
    seen = spec((1, 6), color_mode="grayscale").apply(encoded(values))
    assert seen[0, :, 0].tolist() == [0, 1, 2, 50, 255, 255]
    assert spec((1, 6)).apply(encoded(values))[0, 3].tolist() == [50, 50, 50]


def test_16_bit_gray_keeps_its_transparent_value() -> None:
    values = np.array([[257, 12850]], np.uint16)
    seen = spec((1, 2), color_mode="grayscale", background=9).apply(encoded(values, transparency=257))
    assert seen[0, :, 0].tolist() == [9, 50]


def test_1_bit_is_black_and_white() -> None:
    picture = pillow.new("1", (6, 4), 0)
    picture.putpixel((1, 0), 1)
    assert spec(color_mode="grayscale").apply(encoded(picture))[0, :3, 0].tolist() == [0, 255, 0]


def test_cmyk_is_not_inverted() -> None:
    picture = pillow.new("CMYK", (6, 4), (0, 255, 255, 0))
    seen = spec().apply(encoded(picture, "JPEG", quality=100))[0, 0].astype(int)
    assert np.abs(seen - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, format: str) -> None:
    stored = {
        1: UPRIGHT,
        2: UPRIGHT[:, ::-1],
        3: UPRIGHT[::-1, ::-1],
        4: UPRIGHT[::-1],
        5: UPRIGHT.transpose(1, 0, 2),
        6: np.rot90(UPRIGHT, 1),
        7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(UPRIGHT, -1),
    }[orientation]
    exif = pillow.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    content = encoded(np.ascontiguousarray(stored), format, exif=exif, **options)
    assert np.array_equal(spec().apply(content), UPRIGHT)


def test_grayscale_weighs_the_colours() -> None:
    seen = spec(color_mode="grayscale").apply(encoded(pixel(200, 100, 50, mode="RGB")))
    assert seen.shape == (4, 6, 1)
    assert seen[0, 0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


# ── size ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_stretch_shows_all_and_distorts() -> None:
    bands = np.repeat(np.array([0, 100, 200, 250], np.uint8), 8)[None].repeat(8, 0)
    seen = spec((4, 4), color_mode="grayscale", interpolation="nearest").apply(encoded(bands))
    assert seen[0, :, 0].tolist() == [0, 100, 200, 250]


def test_crop_cuts_both_sides_evenly() -> None:
    wide = np.zeros((4, 8), np.uint8)
    wide[:, 2:6] = 255
    assert (spec((4, 4), color_mode="grayscale", resize="crop").apply(encoded(wide)) == 255).all()
    assert (
        spec((4, 4), color_mode="grayscale", resize="crop").apply(encoded(np.ascontiguousarray(wide.T))) == 255
    ).all()


def test_pad_fills_both_sides_evenly() -> None:
    wide = encoded(np.full((4, 8), 200, np.uint8))
    seen = spec((8, 8), color_mode="grayscale", resize="pad", fill_value=9).apply(wide)[..., 0]
    assert seen[:, 0].tolist() == [9, 9, 200, 200, 200, 200, 9, 9]
    rgb = spec((8, 8), resize="pad", fill_value=9).apply(wide)
    assert rgb[0, 0].tolist() == [9, 9, 9]


def test_a_sliver_keeps_one_pixel() -> None:
    for mode in ("stretch", "crop", "pad"):
        assert spec((8, 8), resize=mode).apply(encoded(np.full((1, 400), 200, np.uint8))).shape == (8, 8, 3)


def test_shrinking_averages_except_nearest() -> None:
    checkers = encoded((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    for interpolation in ("bilinear", "bicubic"):
        seen = spec((16, 16), color_mode="grayscale", interpolation=interpolation).apply(checkers)
        assert seen.min() >= 120 and seen.max() <= 135
    nearest = spec((16, 16), color_mode="grayscale", interpolation="nearest").apply(checkers)
    assert set(np.unique(nearest)) <= {0, 255}


def test_enlarging_interpolates() -> None:
    two = encoded(np.array([[0, 200]], np.uint8))
    assert spec((1, 4), color_mode="grayscale").apply(two)[0, :, 0].tolist() == [0, 50, 150, 200]
    nearest = spec((1, 4), color_mode="grayscale", interpolation="nearest").apply(two)
    assert nearest[0, :, 0].tolist() == [0, 0, 200, 200]


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_mediapipe_reads_corners_on_corners_in_32nds_of_a_pixel() -> None:
    def seen(row: list[int], width: int) -> list[int]:
        image = spec((1, width), color_mode="grayscale", interpolation="mediapipe")
        return list(image.apply(np.array([row], np.uint8)).reshape(-1))

    assert seen([0, 100, 200], 4) == [0, 75, 150, 200]  # read at 0, 3/4, 6/4 and 9/4, where the last pixel is repeated
    assert seen([0, 100, 200], 2) == [0, 150]  # nothing is averaged
    assert seen([0, 240, 0, 0, 0, 0, 0], 6)[1] == 203  # 7/6 is 37/32: 27/32 of 240 is 202.5


def test_arrays_are_seen_like_files() -> None:
    gray = UPRIGHT[..., 0].copy()
    assert np.array_equal(spec().apply(UPRIGHT), UPRIGHT)
    assert np.array_equal(spec(color_mode="grayscale").apply(gray)[..., 0], gray)
    assert np.array_equal(spec(color_mode="grayscale").apply(gray[..., None])[..., 0], gray)
    clear = np.dstack([UPRIGHT, np.zeros((4, 6), np.uint8)])
    assert (spec(background=3).apply(clear) == 3).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 6), np.float32), np.zeros((4, 6, 5), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 6), np.uint8),
        np.zeros((4, 6, 3), np.int64),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="an image array must"):
        spec().apply(array)


# ── broken and hostile files ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"these are no pixels", r"this is no image \(JPEG, PNG, BMP, GIF and WEBP can be read\)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "this is no image"),
        (encoded(UPRIGHT, "TIFF"), "this is no image"),
        (png(30_000, 30_000), "too large to be opened safely"),
        (png(64, 64, b"short"), "the picture is damaged"),
    ],
    ids=["empty", "text", "svg", "tiff", "bomb", "promise"],
)
def test_what_is_no_picture_is_refused_with_a_reason(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec().apply(content)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_files_cut_short_are_refused(format: str) -> None:
    content = encoded(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8), format)
    for end in range(0, len(content) * 9 // 10, max(1, len(content) // 40)):
        with pytest.raises(ValueError, match=r"damaged|no image|empty"):
            spec().apply(content[:end])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_bytes_give_a_picture_or_a_reason(format: str, damage: list[tuple[float, int]]) -> None:
    content = bytearray(encoded(UPRIGHT, format))
    for position, value in damage:
        content[int(position * len(content))] = value
    try:
        seen = spec().apply(bytes(content))
    except ValueError as error:
        assert str(error)
    else:
        assert seen.shape == (4, 6, 3)


# ── what clients are told ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_description_is_enough_to_do_it_elsewhere() -> None:
    """Alpha, gray and padding computed from nothing but the description, against the function itself."""
    image = spec((6, 6), color_mode="grayscale", resize="pad", background=20, fill_value=7)
    told = json.loads(json.dumps(image.describe()))
    assert (told["height"], told["width"], told["channels"], told["color_order"]) == (6, 6, 1, "gray")
    assert told["order"][:5] == ["decode", "orientation", "alpha", "color", "resize"]
    source = np.dstack([UPRIGHT, np.arange(24, dtype=np.uint8).reshape(4, 6) * 10])
    alpha = source[..., 3:] / 255
    flat = np.rint(source[..., :3] * alpha + told["alpha"]["composited_on"] * (1 - alpha))
    gray = np.rint(flat @ [0.299, 0.587, 0.114])
    expected = np.full((6, 6), told["resizing"]["fill_value"])
    expected[1:5] = gray
    seen = image.apply(encoded(source))
    assert np.abs(seen[..., 0] - expected).max() <= 1


@pytest.mark.parametrize(
    "changed",
    [
        {"image_size": (5, 6)}, {"color_mode": "grayscale"}, {"resize": "crop"}, {"interpolation": "nearest"},
        {"background": 0}, {"normalization": {"scale": 1 / 127.5, "offset": -1.0}},
    ],
    ids=str,
)  # fmt: skip
def test_every_option_is_told(changed: dict[str, Any]) -> None:
    assert Image.model_validate({"image_size": (4, 6), **changed}).describe() != spec().describe()
    if "resize" in changed:
        assert spec(resize="pad", fill_value=1).describe() != spec(resize="pad").describe()


# ── faster reading for training ──────────────────────────────────────────────────────────────────────────────────────


def photo(height: int = 320, width: int = 240, seed: int = 0, **options: Any) -> bytes:
    """Return a JPEG of smooth waves with sharp edges and some noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    short, long = random.uniform(9, 15), random.uniform(17, 25)
    waves = [127 + 100 * np.sin(x / (short + c) + y / (long - c)) * np.cos(y / (23 + c)) for c in range(3)]
    picture = np.dstack(waves) + random.normal(0, 6, (height, width, 3))
    picture[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 60)
    stream = io.BytesIO()
    mode = options.pop("mode", "RGB")
    pixels = pillow.fromarray(picture.clip(0, 255).astype(np.uint8)).convert(mode)
    pixels.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def turned(orientation: int) -> dict[str, Any]:
    exif = pillow.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


def differences(image: Image, content: bytes) -> np.ndarray:
    exact, faster = (function(content).astype(int) for function in (image.apply, image.apply_for_training))
    assert exact.shape == faster.shape
    return np.abs(exact - faster)


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"color_mode": "grayscale"}, {"interpolation": "bicubic"}, {"resize": "crop"},
        {"resize": "pad", "fill_value": 200}, {"image_size": (130, 100)}, {"image_size": (37, 90)},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(
    "options",
    [
        {}, turned(6), {"height": 283, "width": 379}, {"seed": 1, "progressive": True},
        {"seed": 2, "subsampling": "4:4:4"},
    ],
    ids=["upright", "turned", "sides that are no multiples of eight", "progressive", "full colour"],
)  # fmt: skip
def test_reading_for_training_is_nearly_exact(changed: dict[str, Any], options: dict[str, Any]) -> None:
    """A shift by one pixel would be a mean of 7 and a largest difference of 47 of 255 at least."""
    seen = differences(Image.model_validate({"image_size": (70, 60), **changed}), photo(**options))
    assert 0 < seen.mean() < 1.5
    assert seen.max() < 30


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_reading_for_training_turns_every_photo_as_ever(orientation: int, resize: str) -> None:
    image = Image.model_validate({"image_size": (70, 50), "resize": resize})
    for content in (photo(**turned(orientation)), photo(xmp=f'<tiff:Orientation="{orientation}">'.encode())):
        seen = differences(image, content)
        assert 0 < seen.mean() < 1.5
        assert seen.max() < 30


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"image_size": (300, 230)}, {}), ({"image_size": (400, 400)}, {}), ({"interpolation": "nearest"}, {}),
        ({"interpolation": "mediapipe"}, {}),
        ({"image_size": (300, 230), "resize": "crop"}, turned(8)), ({"image_size": (300, 230), "resize": "pad"}, {}),
        ({}, {"mode": "CMYK"}), ({}, {"height": 283, "width": 379, **turned(3)}),
        ({"image_size": (300, 230)}, {"mode": "L"}),
    ],
    ids=["nothing to shrink", "larger", "nearest", "mediapipe", "crop", "pad", "CMYK", "an odd side turned", "gray"],
)  # fmt: skip
def test_where_no_decoder_shrinks_reading_for_training_is_exact(changed: Any, options: Any) -> None:
    assert differences(Image.model_validate({"image_size": (70, 60), **changed}), photo(**options)).max() == 0


def test_reading_for_training_takes_other_pictures_as_ever() -> None:
    image = Image(image_size=(8, 8))
    array = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
    for raw in (array, encoded(array)):
        assert np.array_equal(image.apply(raw), image.apply_for_training(raw))


@pytest.mark.parametrize("end", [0, 2, 20, 200, 3000, -2000])
def test_reading_for_training_refuses_damaged_photos_for_the_same_reason(end: int) -> None:
    image, reasons = Image(image_size=(70, 60)), []
    for function in (image.apply, image.apply_for_training):
        with pytest.raises(ValueError, match=r"damaged|no image|empty") as caught:
            function(photo()[:end])
        reasons.append(str(caught.value))
    assert reasons[0] == reasons[1]


def test_reading_for_training_refuses_photos_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match="too large to be opened safely"):
        Image(image_size=(70, 60)).apply_for_training(photo())


def test_the_normalization_is_the_first_node() -> None:
    image = spec(normalization={"scale": 2.0, "offset": -1.0})
    graph = GraphBuilder()
    tensor = image.input_nodes(graph, graph.input("image", image.input_shape()))
    (_, node) = graph.build({"out": tensor}).nodes
    layer = node.type.keras_layer(node.shape)
    assert (layer.class_name, layer.config["scale"], layer.config["offset"]) == ("Rescaling", 2.0, -1.0)


def test_it_needs_no_tensorflow() -> None:
    program = (
        "import sys, numpy; from cnnpipe.preprocessing.image import Image\n"
        "Image(image_size=(2, 2)).apply(numpy.zeros((3, 3), 'uint8'))\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
