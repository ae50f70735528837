"""Small folders of pictures with boxes and masks, written as people's tools write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.datasets import Dataset
from cnnpipe.errors import ProblemError


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Return a function that writes a picture: `picture(file, width, height)`."""

    def write(file: Path, width: int = 40, height: int = 30, value: Any = 90) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(file)
        return file

    return write


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., str]:
    """Return a function that opens a source which must fail, and returns what it says without the folder's name."""

    def said(kind: type[Dataset], fields: Mapping[str, Any]) -> str:
        with pytest.raises(ProblemError) as caught:
            kind.model_validate(fields).open(tmp_path)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return said
