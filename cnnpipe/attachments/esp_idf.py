"""The lines that call the model from a program for ESP-IDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cnnpipe.attachments import Attachment
from cnnpipe.attachments.microcontroller import FOLDER, calling_words, fill
from cnnpipe.manifest import Manifest

PROGRAM = """\
// Written by cnnpipe $version. $notice
#include <cstdio>

#include "model.h"

using namespace $space;

extern "C" void app_main() {
  if (!Begin()) return;
  for (size_t i = 0; i < kInputElements; ++i) Input()[i] = StoreInput(0);  // your $values instead of 0
  if (!Run()) return;
  for (size_t i = 0; i < kOutputElements; ++i) {
    $print
  }
}
"""
COMPONENT = """\
# Written by cnnpipe $version. $notice
# For the component `main` of a project that depends on LiteRT Micro: idf.py add-dependency "espressif/esp-tflite-micro"
# The paths are those of this bundle.
idf_component_register(SRCS main.cc ../model.cc ../model_data.cc INCLUDE_DIRS . ..)
"""


class EspIdf(Attachment):
    """A component that uses the sources of `microcontroller`."""

    type: Literal["esp_idf"] = "esp_idf"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the component's files by their names; none for a model with several inputs or outputs."""
        words = calling_words(manifest, 'std::printf("%s %f\\n", {label}, static_cast<double>({value}));')
        texts = {"main.cc": PROGRAM, "CMakeLists.txt": COMPONENT} if words else {}
        return {f"{FOLDER}/esp_idf/{name}": fill(text, words) for name, text in texts.items()}
