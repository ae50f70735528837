"""MediaPipe's ObjectDetector: one picture in, boxes with scores out, which it decodes from fixed anchors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cnnpipe import flat_tables
from cnnpipe.clients import Client, Contents
from cnnpipe.clients._pictures import as_picture, asking, kotlin_lines, picture_input, swift_lines
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.litert_metadata import FeatureOutput, Metadata
from cnnpipe.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np

ENTRY, IDENTIFIER, PARSER = "DETECTOR_METADATA", b"V001", "1.0.0"
SCHEMA: flat_tables.Schema = {
    "ObjectDetectorOptions": {
        "min_parser_version": "string", "ssd_anchors_options": "SsdAnchorsOptions",
        "tensors_decoding_options": "TensorsDecodingOptions",
    },
    "SsdAnchorsOptions": {"fixed_anchors_schema": "FixedAnchorsSchema"},
    "FixedAnchorsSchema": {"anchors": "[FixedAnchor]"},
    "FixedAnchor": {"x_center": "float", "y_center": "float", "width": "float", "height": "float"},
    "TensorsDecodingOptions": {
        "num_classes": "int", "num_boxes": "int", "num_coords": "int", "keypoint_coord_offset": "int",
        "num_keypoints": "int", "num_values_per_keypoint": "int", "x_scale": "float", "y_scale": "float",
        "w_scale": "float", "h_scale": "float", "apply_exponential_on_box_size": "byte", "sigmoid_score": "byte",
    },
}  # fmt: skip
"""MediaPipe's own schema, `object_detector_metadata_schema.fbs`."""
UNDONE = {
    "num_coords": 4, "keypoint_coord_offset": 0, "num_keypoints": 0, "num_values_per_keypoint": 2, "w_scale": 1.0,
    "h_scale": 1.0, "apply_exponential_on_box_size": 1, "sigmoid_score": 0,
}  # fmt: skip
"""What the library undoes: middles in sides of the anchor, logarithms of the sides, scores that are from 0 to 1."""

EDGES = (1, 0, 3, 2)
"""Where left, top, right and bottom stand among the numbers of a box of a list; and which edge each number is."""
LIST = {"location": 2, "category": 1, "score": 1, "count": 0}
"""Outputs of a file that suppresses inside, in the order in which the library wants them, and how many axes each has
without the batch."""
SUPPRESSION = {"iou_threshold": 0.3, "suppression": "across_classes"}
"""What the library does with boxes that overlap, and cannot be told to do otherwise."""
_LEAST = 1e-3
"""Pixels that a box is counted wide at least; the library rounds them to whole ones."""


class ObjectDetector(Client):
    """One RGB picture in; out come boxes (n, 4) relative to anchors and scores (n, classes), or a list of objects."""

    type: Literal["object_detector"] = "object_detector"

    def metadata(self, contents: Contents) -> Metadata:
        """Return normalization, labels, and the anchors as shares of the picture, which a list does not need."""
        if list(contents.outputs) == list(LIST):
            return _of_list(contents)
        boxes, scores = _outputs(contents)
        meanings = contents.outputs
        labels = contents.class_names
        count, classes = contents.shapes[scores]
        if labels is not None and len(labels) != classes:
            raise ProblemError(Problem(f"{len(labels)} class names for an output of {classes} values"))
        anchors = _anchors(contents.decoding)
        if len(anchors) != count:
            raise ProblemError(Problem(f"{len(anchors)} anchors for an output of {count} boxes"))
        scale = math.exp(-contents.decoding["middle"])
        options = {"num_classes": classes, "num_boxes": count, "x_scale": scale, "y_scale": scale, **UNDONE}
        rows = [dict(zip(SCHEMA["FixedAnchor"], row, strict=True)) for row in anchors]
        fields = {
            "min_parser_version": PARSER,
            "ssd_anchors_options": {"fixed_anchors_schema": {"anchors": rows}},
            "tensors_decoding_options": options,
        }
        return Metadata(
            contents.name,
            f"Object detection: {meanings[scores]}.",
            (picture_input(contents),),
            tuple(
                FeatureOutput(output, meaning, labels if output == scores else None, output == boxes)
                for output, meaning in meanings.items()
            ),
            {ENTRY: flat_tables.write(SCHEMA, "ObjectDetectorOptions", fields, IDENTIFIER)},
        )

    def answers(
        self, file: Path, pictures: Sequence[np.ndarray], outputs: Sequence[TensorFacts], metadata: Metadata
    ) -> dict[str, np.ndarray]:
        """Find the objects of every picture; the k-th one is put into row k of the outputs."""
        import numpy as np
        from mediapipe.tasks.python import BaseOptions, vision

        values = {one.name: np.zeros((len(pictures), *one.shape[1:]), np.float32) for one in outputs}
        options = vision.ObjectDetectorOptions(base_options=BaseOptions(model_asset_path=str(file)))
        labels = next((output.labels for output in metadata.outputs if output.labels), None)
        put = _into_list if metadata.outputs[0].name in LIST else _into_cells(metadata)
        with asking("ObjectDetector", file), vision.ObjectDetector.create_from_options(options) as detector:
            for row, pixels in enumerate(pictures):
                whole = np.tile(pixels.shape[1::-1], 2)
                found = detector.detect(as_picture(pixels)).detections
                for k, (box, category) in enumerate(
                    (one.bounding_box, each) for one in found for each in one.categories
                ):
                    sides = max(box.width, _LEAST), max(box.height, _LEAST)
                    corners = box.origin_x, box.origin_y, box.origin_x + sides[0], box.origin_y + sides[1]
                    rows = {name: each[row] for name, each in values.items()}
                    put(rows, k, np.divide(corners, whole), _class_of(category, labels), category.score)
                if "count" in values:
                    values["count"][row] = len(found)
        return values

    def kotlin(self, manifest: Manifest) -> str:
        """Return a function from a bitmap to labels, scores and boxes."""
        imports = [
            "com.google.mediapipe.tasks.components.containers.Detection",
            "com.google.mediapipe.tasks.core.BaseOptions",
            "com.google.mediapipe.tasks.vision.objectdetector.ObjectDetector",
        ]
        code = [
            "fun detect(context: Context, upright: Bitmap): List<Detection> {",
            f'    val base = BaseOptions.builder().setModelAssetPath("{manifest.file}").build()',
            "    val options = ObjectDetector.ObjectDetectorOptions.builder()",
            f"        .setBaseOptions(base).setScoreThreshold({_threshold(manifest)}f).build()",
            "    return ObjectDetector.createFromOptions(context, options).use { detector ->",
            "        detector.detect(BitmapImageBuilder(upright).build()).detections()",
            "    }",
            "}",
        ]
        return kotlin_lines(manifest, imports, code)

    def swift(self, manifest: Manifest) -> str:
        """Return a function from an image to labels, scores and boxes."""
        code = [
            "func detect(_ upright: UIImage) throws -> [Detection] {",
            "    let options = ObjectDetectorOptions()",
            "    options.baseOptions.modelAssetPath =",
            "        {path}",
            f"    options.scoreThreshold = {_threshold(manifest)}",
            "    let detector = try ObjectDetector(options: options)",
            "    return try detector.detect(image: MPImage(uiImage: upright)).detections",
            "}",
        ]
        return swift_lines(manifest, code)


def _into_list(rows: Mapping[str, np.ndarray], k: int, corners: np.ndarray, number: int, score: float) -> None:
    """Put an object into row k of the outputs of one example."""
    rows["location"][k], rows["category"][k], rows["score"][k] = corners[list(EDGES)], number, score


def _into_cells(metadata: Metadata) -> Callable[..., None]:
    """Return what puts an object into row k of the outputs of one example, as the numbers that decode to it there."""
    from cnnpipe.boxes.anchors import encode

    (places, scale), (boxes, scores) = _told_anchors(metadata), _told_outputs(metadata)

    def put(rows: Mapping[str, np.ndarray], k: int, corners: np.ndarray, number: int, score: float) -> None:
        rows[scores][k, number] = score
        rows[boxes][k] = encode(corners, places[k]) * (scale, scale, 1, 1)

    return put


def _of_list(contents: Contents) -> Metadata:
    """Return the metadata of a file that lists objects: its outputs in their order, and labels of the numbers."""
    axes = {name: len(shape) for name, shape in contents.shapes.items()}
    if len(contents.inputs) != 1 or axes != LIST:
        message = "MediaPipe's ObjectDetector takes one input, and a list of objects of"
        raise ProblemError(Problem(f"{message} {', '.join(LIST)}; the file has {contents.shapes}"))
    outputs = tuple(_listed(output, meaning, contents.class_names) for output, meaning in contents.outputs.items())
    return Metadata(
        contents.name, "Object detection: a list of the objects found.", (picture_input(contents),), outputs
    )


def _listed(output: str, meaning: str, names: tuple[str, ...] | None) -> FeatureOutput:
    if output == "location":
        return FeatureOutput(output, meaning, None, boxes=True, edges=EDGES)
    numbered = output == "category" and names is not None
    return FeatureOutput(output, meaning, names if numbered else None, numbered=numbered)


def _threshold(manifest: Manifest) -> float:
    return float(manifest.decoding.get("score_threshold", 0.0))


def _outputs(contents: Contents) -> tuple[str, str]:
    """Return the names of the boxes and of the scores.

    Raises:
        ProblemError: The file has other outputs, or nobody says what its boxes mean.
    """
    if len(contents.inputs) != 1 or set(contents.outputs) != {"boxes", "scores"} or "levels" not in contents.decoding:
        message = "MediaPipe's ObjectDetector takes one input, and outputs 'boxes' and 'scores' with levels of anchors"
        raise ProblemError(Problem(f"{message}; the file has {', '.join((*contents.inputs, *contents.outputs))}"))
    wanted = {key: contents.decoding.get(key) for key in SUPPRESSION}
    if wanted != SUPPRESSION:
        message, hint = (
            f"{' and '.join(f'{key} {value}' for key, value in values.items())}" for values in (wanted, SUPPRESSION)
        )
        raise ProblemError(
            Problem(
                f"MediaPipe's ObjectDetector has rules of its own for overlapping boxes, and the task has {message}",
                hint=f"Set these keys of the task to what the library does: {hint}.",
            )
        )
    return "boxes", "scores"


def _anchors(decoding: Mapping[str, Any]) -> list[list[float]]:
    """Return column, row, width and height of each anchor as shares of the picture.

    The library knows nothing of what is added to the numbers of boxes. So it gets anchors from which the same numbers
    lead to the same boxes: moved up and to the left, and with sides smaller by a factor, which is undone for the
    middles by their scale.
    """
    import numpy as np

    from cnnpipe.boxes.anchors import anchors

    (height, width), added = decoding["input_size"], decoding["middle"]
    places = anchors(decoding["levels"], decoding["anchor_scale"]).astype(float)
    middles, sides = places[:, :2] - added * places[:, 2:], places[:, 2:] * math.exp(-added)
    found: list[list[float]] = (np.hstack([middles, sides]) / np.array([width, height, width, height])).tolist()
    return found


def _told_anchors(metadata: Metadata) -> tuple[np.ndarray, float]:
    """Return the anchors that the metadata tell, `(n, 4)`, and how the numbers of middles are scaled."""
    import numpy as np

    data = metadata.custom[ENTRY]
    told = flat_tables.read(SCHEMA, "ObjectDetectorOptions", data, IDENTIFIER, len(data))
    rows = told["ssd_anchors_options"]["fixed_anchors_schema"]["anchors"]
    anchors = np.array([[row[key] for key in SCHEMA["FixedAnchor"]] for row in rows])
    return anchors, float(told["tensors_decoding_options"]["y_scale"])


def _told_outputs(metadata: Metadata) -> tuple[str, str]:
    boxes, scores = sorted(metadata.outputs, key=lambda output: not output.boxes)
    return boxes.name, scores.name


def _class_of(category: Any, labels: tuple[str, ...] | None) -> int:
    """Return the number of a class; the library tells the name alone where there is one."""
    if labels is None:
        return int(category.index)
    if category.category_name not in labels:
        raise ProblemError(Problem(f"MediaPipe's ObjectDetector knows a class '{category.category_name}'"))
    return labels.index(category.category_name)
