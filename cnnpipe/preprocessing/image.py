"""Pictures: decoding, orientation, colour and size, the same in training, on this host and on the device."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.placement import Placement
from cnnpipe.preprocessing import PerChannel, Preprocessing
from cnnpipe.preprocessing._mediapipe import resized as as_mediapipe
from cnnpipe.preprocessing._truth import placed
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

IDENTITY = (1.0, 0.0)
"""Scale and offset of a normalization that changes nothing: some published networks normalize inside."""
EXIF_ORIENTATION, FIRST_ON_ITS_SIDE = 0x0112, 5
ORIENTATION_MARKS = (b"Exif\0\0", b"tiff:Orientation")
"""A JPEG without any of these bytes before its pixels says nothing of its orientation."""
START_OF_SCAN = 0xDA
STILL_TO_SHRINK = 1.25
"""How much is left at least for the exact method when a decoder shrinks: what it does then hardly shows."""
MEDIAPIPE = (
    "as MediaPipe Tasks on a processor (OpenCV warpPerspective, INTER_LINEAR): "
    "pixel x is read at x * width / new width, rounded to 32nds of a pixel; the last pixel is repeated"
)
"""How `mediapipe` computes, for a client that resizes pictures itself."""
MOVED = {"bounding_boxes", "segmentation_masks", "instance_masks"}
"""Keys of an example that have places in the picture."""
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")


Factor = Annotated[float, Field(gt=0)]


class Normalization(Spec):
    """What the network does to pixels first, in the words of `keras.layers.Rescaling`: `pixel * scale + offset`."""

    scale: Factor | tuple[Factor, Factor, Factor] = 1 / 255
    """Factor: one number, or one each for red, green and blue."""
    offset: float | tuple[float, float, float] = 0.0
    """Added after the factor: one number, or one each for red, green and blue."""


Side = Annotated[int, Field(ge=1, le=16_384)]


class Image(Preprocessing):
    """A picture of one size and colour mode, uint8."""

    key: ClassVar[str] = "images"

    type: Literal["image"] = "image"
    image_size: tuple[Side, Side]
    """Height and width that the model sees."""
    color_mode: Literal["grayscale", "rgb"] = "rgb"
    """One channel or three."""
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """How another aspect ratio is made to fit: distort, cut the longer side evenly, or fill up the shorter side."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "mediapipe"] = "bilinear"
    """How pixels are computed when the size changes; `bilinear` and `bicubic` average when they shrink (antialias).

    `mediapipe` is bilinear without averaging, bit by bit as MediaPipe Tasks does it on phones: a file for a phone then
    sees the very pixels that were trained on."""
    fill_value: int = Field(default=0, ge=0, le=255)
    """Gray level that `resize: pad` fills up with."""
    background: int = Field(default=255, ge=0, le=255)
    """Gray level that shows through transparent pixels."""
    normalization: Normalization | None = None
    """What the network does to pixels first; when left out what the backbone was published with, else 1/255."""

    def ignored_keys(self) -> dict[str, str]:
        """Only `pad` fills up."""
        return {} if self.resize == "pad" else {"fill_value": f"because resize is {self.resize}"}

    def input_shape(self) -> Shape:
        """Return `(height, width, channels)`."""
        return (*self.image_size, 1 if self.color_mode == "grayscale" else 3)

    def input_nodes(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the normalization to the graph, right after its input."""
        from cnnpipe.graph.nodes.rescaling import Rescaling

        normalization = self.normalization or Normalization()
        if (normalization.scale, normalization.offset) == IDENTITY:
            return tensor
        return graph.add(Rescaling(normalization.scale, normalization.offset), tensor)

    def normalized(self, scale: PerChannel, offset: PerChannel) -> Image:
        """Return this with a normalization, when it states none; one channel gets the mean of three numbers."""
        if self.normalization is not None:
            return self
        if self.color_mode == "grayscale":
            scale, offset = (sum(n) / len(n) if isinstance(n, tuple) else n for n in (scale, offset))
        return self.model_copy(update={"normalization": Normalization(scale=scale, offset=offset)})  # type: ignore[arg-type]

    def for_channels(self, channels: int) -> Image | None:
        """Return this in colour, when it is gray and three channels are fed."""
        return (
            self.model_copy(update={"color_mode": "rgb"}) if (self.color_mode, channels) == ("grayscale", 3) else None
        )

    def apply(self, raw: Any) -> np.ndarray:
        """Turn one picture into what the model sees, before normalization.

        Args:
            raw: The content of an image file, or a uint8 array of shape `(height, width)` or
                `(height, width, channels)` with 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA) channels.

        Returns:
            uint8, of shape `input_shape()`.

        Raises:
            ValueError: It is not such a picture; says why.
        """
        import numpy as np

        if not isinstance(raw, bytes):
            pixels: np.ndarray = np.asarray(raw)
            if pixels.dtype == "uint8" and self.input_shape() in (pixels.shape, (*pixels.shape, 1)):
                return pixels.reshape(self.input_shape())  # nothing to do
            raw = pixels
        return self._finished(opaque_picture(raw, self.background))

    def apply_for_training(self, raw: Any) -> np.ndarray:
        """Do as `apply`, but let a faster decoder read a JPEG, and shrink it as far as it shrinks more anyway.

        The decoder then leaves out frequencies that shrinking takes away (libjpeg's scaled inverse cosine transform, in
        eighths). Photos differ from `apply` by about 1 of 255 on average. What it cannot read goes to `apply`.
        """
        import numpy as np

        averages = self.interpolation in ("bilinear", "bicubic")
        small = _shrunk(raw, self) if isinstance(raw, bytes) and averages else None
        if small is None:
            return self.apply(raw)
        return np.asarray(_sized(*small, self)).reshape(self.input_shape())

    def placement(self, raw: Any) -> Placement:
        """Return where `apply` puts a picture."""
        size = true_size(raw)
        part, (width, height) = _fitted(size, self)
        left, top = (self.image_size[1] - width) // 2, (self.image_size[0] - height) // 2
        return Placement((size[1], size[0]), part, self.image_size, (left, top, left + width, top + height))

    def placed(self, example: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an example with its boxes and masks in the input's pixels."""
        return placed(example, self.placement(example[self.key])) if MOVED & set(example) else example

    def _finished(self, opaque: Picture) -> np.ndarray:
        import numpy as np

        colored = _in_mode(opaque, "L" if self.color_mode == "grayscale" else "RGB")
        return np.asarray(_sized(colored, colored.size, 1, self)).reshape(self.input_shape())

    def describe(self) -> dict[str, Any]:
        """Return what a client must do before calling the model, for bundle.json."""
        height, width, channels = self.input_shape()
        normalization = self.normalization or Normalization()
        resizing: dict[str, Any] = {
            "method": self.interpolation,
            "antialias": self.interpolation != "nearest",
            "mode": self.resize,
            "implementation": "Pillow Image.resize on 8-bit channels",
        }
        if self.interpolation == "mediapipe":
            resizing |= {"method": "bilinear", "antialias": False, "implementation": MEDIAPIPE}
        if self.resize == "pad":
            resizing["fill_value"] = self.fill_value
        return {
            "type": self.type,
            "height": height,
            "width": width,
            "channels": channels,
            "color_order": "gray" if channels == 1 else "RGB",
            "dtype": "uint8",
            "range": [0, 255],
            "order": ["decode", "orientation", "alpha", "color", "resize", "normalization"],
            "decoding": {
                "formats": list(FORMATS),
                "frame": "first",
                "16_bit_grayscale": "divided by 257 and rounded",
                "icc_profile": "ignored",
            },
            "orientation": "EXIF orientation applied",
            "alpha": {"composited_on": self.background},
            "grayscale": "0.299 R + 0.587 G + 0.114 B, rounded" if channels == 1 else None,
            "resizing": resizing,
            "normalization": {"scale": normalization.scale, "offset": normalization.offset},
        }


def true_size(raw: Any) -> tuple[int, int]:
    """Return width and height of an upright picture; of a file only its header is read.

    Raises:
        OSError: It is no picture.
    """
    from PIL import Image as pillow

    if not isinstance(raw, bytes):
        return raw.shape[1], raw.shape[0]
    picture = pillow.open(io.BytesIO(raw), formats=FORMATS)
    on_its_side = picture.getexif().get(EXIF_ORIENTATION, 1) >= FIRST_ON_ITS_SIDE
    return picture.size[::-1] if on_its_side else picture.size


def opaque_picture(raw: Any, background: int = 255) -> Picture:
    """Return a picture upright, as 8-bit `L` or `RGB`, before colour and size are changed.

    Args:
        raw: What `Image.apply` takes.
        background: Gray level that shows through transparent pixels.

    Raises:
        ValueError: It is no such picture; says why.
    """
    import numpy as np

    picture = _decode(raw) if isinstance(raw, bytes) else _from_array(np.asarray(raw))
    return _flatten(picture, background)


def _decode(content: bytes) -> Picture:
    """Return the first frame of an image file, upright.

    Decoders fail in many ways on broken files; all of them mean the same here.
    """
    from PIL import Image as pillow
    from PIL import ImageOps, UnidentifiedImageError

    if not content:
        raise ValueError("the file is empty")
    try:
        picture = pillow.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"this is no image ({', '.join(FORMATS[:-1])} and {FORMATS[-1]} can be read)") from None
    except pillow.DecompressionBombError as error:
        raise ValueError(f"the picture is too large to be opened safely ({error})") from None
    except Exception as error:
        raise ValueError(f"the picture is damaged ({error})") from None
    try:
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        return picture
    except Exception as error:
        raise ValueError(f"the picture is damaged ({error})") from None


def _shrunk(content: bytes, spec: Image) -> tuple[Picture, tuple[int, int], float] | None:
    """Return a JPEG upright and as small as it may be for a spec, its true size, and what is left of a side.

    None where this cannot be done, or not precisely: when a side is no multiple of eight, the last pixel in the file
    shows less than the others, and must not become the first one.
    """
    import simplejpeg
    from PIL import Image as pillow
    from PIL import ImageOps

    mode = "GRAY" if spec.color_mode == "grayscale" else "RGB"
    try:
        height, width, color, _ = simplejpeg.decode_jpeg_header(content)
        if color not in ("YCbCr", "Gray") or height * width > (pillow.MAX_IMAGE_PIXELS or math.inf):
            return None
        header = _header(content)
        says = pillow.open(io.BytesIO(content)) if any(mark in header for mark in ORIENTATION_MARKS) else None
        orientation = says.getexif().get(EXIF_ORIENTATION, 1) if says else 1
        if orientation != 1 and (width % 8 or height % 8):
            return None
        size = (width, height) if orientation < FIRST_ON_ITS_SIDE else (height, width)
        eighths = _least_eighths(size, spec)
        least_height, least_width = (-(-side * eighths // 8) for side in (height, width))
        pixels = simplejpeg.decode_jpeg(content, mode, min_height=least_height, min_width=least_width)
        if pixels.shape[:2] != (least_height, least_width):
            return None
        picture = pillow.fromarray(pixels[..., 0] if mode == "GRAY" else pixels)
        if says is not None:
            picture.info = says.info
            ImageOps.exif_transpose(picture, in_place=True)
    except Exception:  # whatever it is, the exact way tells it or can do without
        return None
    return picture, size, eighths / 8


def _header(content: bytes) -> bytes:
    """Return the segments of a JPEG before its pixels: searching those too would take longer than resizing them."""
    position = 2
    while content[position] == 0xFF and content[position + 1] != START_OF_SCAN:
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return content[:position] if content[position] == 0xFF else content


def _least_eighths(size: tuple[int, int], spec: Image) -> int:
    """Return how many eighths of a picture must be left for the exact method to shrink it to what a spec asks for."""
    (left, top, right, bottom), (width, height) = _fitted(size, spec)
    needed = STILL_TO_SHRINK * max(width / (right - left), height / (bottom - top))
    return min(8, math.ceil(8 * needed))


def _in_mode(picture: Picture, mode: str) -> Picture:
    """Return the picture in a mode. Pillow's `convert` copies even where nothing changes."""
    return picture if picture.mode == mode else picture.convert(mode)


def _from_array(array: np.ndarray) -> Picture:
    """Return the picture that an array holds."""
    from PIL import Image as pillow

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype != "uint8" or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise ValueError(
            "an image array must be uint8 of shape (height, width) or (height, width, 1 to 4 channels); "
            f"received {array.dtype} of shape {array.shape}"
        )
    if 0 in array.shape:
        raise ValueError(f"an image array must not be empty; received shape {array.shape}")
    return pillow.fromarray(array)


def _flatten(picture: Picture, background: int) -> Picture:
    """Return the picture as 8-bit `L` or `RGB`, transparent pixels laid on a gray level."""
    import numpy as np
    from PIL import Image as pillow

    if picture.mode.startswith("I"):
        return _from_16_bit(picture, background)
    if picture.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in picture.info:
        pixels = np.asarray(picture.convert("RGBA")).astype(np.uint32)
        alpha = pixels[..., 3:]
        mixed = (pixels[..., :3] * alpha + background * (255 - alpha) + 127) // 255
        return pillow.fromarray(mixed.astype(np.uint8))
    return _in_mode(picture, "L" if picture.mode in ("1", "L") else "RGB")


def _from_16_bit(picture: Picture, background: int) -> Picture:
    """Return a 16-bit grayscale picture with 65535 as 255: what a cast to 8 bits clips, and a shift darkens."""
    import numpy as np
    from PIL import Image as pillow

    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("a grayscale picture of more than 16 bits cannot be read")
    gray = (values + 128) // 257
    if "transparency" in picture.info:
        gray = np.where(values == picture.info["transparency"], background, gray)
    return pillow.fromarray(gray.astype(np.uint8))


def _sized(picture: Picture, size: tuple[int, int], left: float, spec: Image) -> Picture:
    """Return the picture as the model sees it.

    Args:
        picture: Upright, in the mode that the model sees.
        size: Its true width and height.
        left: What is left of them where a decoder has shrunk it, else 1.
        spec: What the model sees.
    """
    from PIL import Image as pillow

    part, inner = _fitted(size, spec)
    method = pillow.Resampling.__members__.get(spec.interpolation.upper())
    if left == 1:
        seen = picture if part == (0, 0, *size) else picture.crop(part)
        resized = as_mediapipe(seen, inner) if method is None else seen.resize(inner, method)
    else:
        resized = picture.resize(inner, method, (part[0] * left, part[1] * left, part[2] * left, part[3] * left))
    height, width = spec.image_size
    if inner == (width, height):
        return resized
    canvas = pillow.new(picture.mode, (width, height), (spec.fill_value,) * len(picture.getbands()))
    canvas.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _fitted(size: tuple[int, int], spec: Image) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """Return which part of a picture is seen (left, top, right, bottom), and how large (width, height)."""
    height, width = spec.image_size
    if spec.resize == "stretch":
        return (0, 0, *size), (width, height)
    if spec.resize == "crop":
        scale = min(size[0] / width, size[1] / height)
        part = _at_least_one(width * scale), _at_least_one(height * scale)
        left, top = (size[0] - part[0]) // 2, (size[1] - part[1]) // 2
        return (left, top, left + part[0], top + part[1]), (width, height)
    scale = min(width / size[0], height / size[1])
    return (0, 0, *size), (_at_least_one(size[0] * scale), _at_least_one(size[1] * scale))


def _at_least_one(length: float) -> int:
    return max(1, int(length + 0.5))
