"""MediaPipe's ImageSegmenter: one picture in, a probability of each class at each pixel out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cnnpipe.clients import Client, Contents
from cnnpipe.clients._pictures import as_picture, asking, kotlin_lines, only_output, picture_input, swift_lines
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.litert_metadata import FeatureOutput, Metadata
from cnnpipe.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np

BACKGROUND = "background"


class ImageSegmenter(Client):
    """One RGB picture, one output (height, width, classes); a first channel without a name is the background."""

    type: Literal["image_segmenter"] = "image_segmenter"

    def metadata(self, contents: Contents) -> Metadata:
        """Return normalization and labels. The file's own softmax stands: the library adds no activation.

        Raises:
            ProblemError: The file gives numbers of classes, which the library would take for scores in floating point.
        """
        output, meaning = only_output(contents, "ImageSegmenter")
        if "classes" in contents.decoding:
            message = f"MediaPipe's ImageSegmenter reads scores, and '{output}' holds numbers of classes"
            hint = "Delete 'postprocessing': the library itself gives the likeliest class (its category mask)."
            raise ProblemError(Problem(message, hint=hint))
        return Metadata(
            contents.name,
            f"Image segmentation: {meaning}.",
            (picture_input(contents),),
            (FeatureOutput(output, meaning, _labels(contents.class_names, contents.shapes[output][-1])),),
        )

    def answers(
        self, file: Path, pictures: Sequence[np.ndarray], outputs: Sequence[TensorFacts], metadata: Metadata
    ) -> dict[str, np.ndarray]:
        """Segment every picture; the masks, which the library enlarges to the picture, get the size of the output."""
        import numpy as np
        from mediapipe.tasks.python import BaseOptions, vision

        (output,) = outputs
        base = BaseOptions(model_asset_path=str(file))
        options = vision.ImageSegmenterOptions(base_options=base, output_confidence_masks=True)
        values = np.full((len(pictures), *output.shape[1:]), np.nan, np.float32)
        with asking("ImageSegmenter", file), vision.ImageSegmenter.create_from_options(options) as segmenter:
            _check_names(list(segmenter.labels), metadata.outputs[0].labels)
            for row, pixels in zip(values, pictures, strict=True):
                picture = as_picture(pixels)
                for number, mask in enumerate(segmenter.segment(picture).confidence_masks):
                    row[..., number] = _sized(mask.numpy_view(), row.shape[:2])
        return {output.name: values}

    def kotlin(self, manifest: Manifest) -> str:
        """Return a function from a bitmap to the number of the class at each pixel."""
        imports = [
            "com.google.mediapipe.framework.image.ByteBufferExtractor",
            "com.google.mediapipe.tasks.core.BaseOptions",
            "com.google.mediapipe.tasks.vision.imagesegmenter.ImageSegmenter",
            "java.nio.ByteBuffer",
        ]
        code = [
            "fun segment(context: Context, upright: Bitmap): ByteBuffer {",
            f'    val base = BaseOptions.builder().setModelAssetPath("{manifest.file}").build()',
            "    val options = ImageSegmenter.ImageSegmenterOptions.builder()",
            "        .setBaseOptions(base).setOutputCategoryMask(true).setOutputConfidenceMasks(false).build()",
            "    return ImageSegmenter.createFromOptions(context, options).use { segmenter ->",
            "        val mask = segmenter.segment(BitmapImageBuilder(upright).build()).categoryMask().get()",
            "        ByteBufferExtractor.extract(mask)  // one byte a pixel, row by row",
            "    }",
            "}",
        ]
        return kotlin_lines(manifest, imports, code)

    def swift(self, manifest: Manifest) -> str:
        """Return a function from an image to the mask with the number of the class at each pixel."""
        code = [
            "func segment(_ upright: UIImage) throws -> Mask? {",
            "    let options = ImageSegmenterOptions()",
            "    options.baseOptions.modelAssetPath =",
            "        {path}",
            "    options.shouldOutputCategoryMask = true",
            "    options.shouldOutputConfidenceMasks = false",
            "    let segmenter = try ImageSegmenter(options: options)",
            "    return try segmenter.segment(image: MPImage(uiImage: upright)).categoryMask",
            "}",
        ]
        return swift_lines(manifest, code)


def _labels(names: tuple[str, ...] | None, channels: int) -> tuple[str, ...] | None:
    """Return a label for each channel.

    Raises:
        ProblemError: There are more or fewer names than channels.
    """
    if names is None:
        return None
    labels = (BACKGROUND, *names) if channels == len(names) + 1 else names
    if len(labels) != channels:
        raise ProblemError(Problem(f"{len(names)} class names for an output of {channels} channels"))
    return labels


def _check_names(found: Sequence[str], labels: tuple[str, ...] | None) -> None:
    if labels is not None and tuple(found) != labels:
        message = f"MediaPipe's ImageSegmenter calls the classes {', '.join(found)}, the bundle {', '.join(labels)}"
        raise ProblemError(Problem(message))


def _sized(mask: np.ndarray, size: tuple[int, ...]) -> Any:
    """Return a mask in another size, by blending neighbours."""
    import numpy as np
    from PIL import Image

    mask = np.asarray(mask, np.float32).reshape(mask.shape[:2])
    if mask.shape == size:
        return mask
    return np.asarray(Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.BILINEAR))
