"""MediaPipe's ImageClassifier: one picture in, a probability for each class out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cnnpipe.clients import Client, Contents
from cnnpipe.clients._pictures import as_picture, asking, kotlin_lines, only_output, picture_input, swift_lines
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.litert_metadata import FeatureOutput, Metadata
from cnnpipe.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np


class ImageClassifier(Client):
    """One RGB picture, one output with one number for each label; of a yes-or-no decision the label is the yes."""

    type: Literal["image_classifier"] = "image_classifier"

    def metadata(self, contents: Contents) -> Metadata:
        """Return normalization and labels."""
        output, meaning = only_output(contents, "ImageClassifier")
        return Metadata(
            contents.name,
            f"Image classification: {meaning}.",
            (picture_input(contents),),
            (FeatureOutput(output, meaning, _labels(contents.class_names, math.prod(contents.shapes[output]))),),
        )

    def answers(
        self, file: Path, pictures: Sequence[np.ndarray], outputs: Sequence[TensorFacts], metadata: Metadata
    ) -> dict[str, np.ndarray]:
        """Classify every picture, and put the categories, which come best first, into the order of the output."""
        import numpy as np
        from mediapipe.tasks.python import BaseOptions, vision

        (output,) = outputs
        options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(file)))
        values = np.full((len(pictures), *output.shape[1:]), np.nan, np.float32)
        names: dict[int, str | None] = {}
        with asking("ImageClassifier", file), vision.ImageClassifier.create_from_options(options) as classifier:
            for row, pixels in zip(values, pictures, strict=True):
                picture = as_picture(pixels)
                for category in classifier.classify(picture).classifications[0].categories:
                    row[category.index] = category.score
                    names[category.index] = category.category_name
        _check_names(names, metadata.outputs[0].labels)
        return {output.name: values}

    def kotlin(self, manifest: Manifest) -> str:
        """Return a function from a bitmap to its best label."""
        imports = [
            "com.google.mediapipe.tasks.vision.imageclassifier.ImageClassifier",
        ]
        code = [
            "fun classify(context: Context, upright: Bitmap): Pair<String, Float> =",
            f'    ImageClassifier.createFromFile(context, "{manifest.file}").use {{ classifier ->',
            "        val result = classifier.classify(BitmapImageBuilder(upright).build()).classificationResult()",
            "        val best = result.classifications().first().categories().first()",
            "        best.categoryName() to best.score()",
            "    }",
        ]
        return kotlin_lines(manifest, imports, code)

    def swift(self, manifest: Manifest) -> str:
        """Return a function from an image to its best label."""
        code = [
            "func classify(_ upright: UIImage) throws -> (String, Float)? {",
            "    let path = {path}",
            "    let classifier = try ImageClassifier(modelPath: path)",
            "    let result = try classifier.classify(image: MPImage(uiImage: upright))",
            "    let categories = result.classificationResult.classifications.first?.categories",
            "    guard let best = categories?.first else { return nil }",
            '    return (best.categoryName ?? "", best.score)',
            "}",
        ]
        return swift_lines(manifest, code)


def _labels(names: tuple[str, ...] | None, size: int) -> tuple[str, ...] | None:
    """Return a label for each number of the output: a single one says how likely the second of two classes is.

    Raises:
        ProblemError: There are more or fewer names than numbers. The library only fails at the first picture.
    """
    if names is None:
        return None
    labels = names[-1:] if size == 1 and len(names) == 2 else names
    if len(labels) != size:
        raise ProblemError(Problem(f"{len(names)} class names for an output of {size} values"))
    return labels


def _check_names(found: dict[int, str | None], labels: tuple[str, ...] | None) -> None:
    for index, name in sorted(found.items()):
        if labels is not None and name != labels[index]:
            message = f"MediaPipe's ImageClassifier calls class {index} '{name}', the bundle '{labels[index]}'"
            raise ProblemError(Problem(message))
