"""The lines that call the model from an Arduino sketch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cnnpipe.attachments import Attachment
from cnnpipe.attachments.microcontroller import FOLDER, calling_words, fill
from cnnpipe.manifest import Manifest

SKETCH = """\
// Written by cnnpipe $version. $notice
// Beside this sketch belong the .h and .cc files of the folder above, without main.cc; name them .cpp if your Arduino
// wants that. LiteRT Micro has to be among your libraries: a tree that create_tflm_tree.py --rename_cc_to_cpp writes.
#include "model.h"

using namespace $space;

void setup() {
  Serial.begin(115200);
  if (!Begin()) Serial.println("the model cannot run here");
}

void loop() {
  for (size_t i = 0; i < kInputElements; ++i) Input()[i] = StoreInput(0);  // your $values instead of 0
  if (!Run()) return;
  for (size_t i = 0; i < kOutputElements; ++i) {
    $print
  }
}
"""


class Arduino(Attachment):
    """A sketch that uses the sources of `microcontroller`."""

    type: Literal["arduino"] = "arduino"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the sketch by its name in the bundle; none for a model with several inputs or outputs."""
        words = calling_words(manifest, 'Serial.print({label}); Serial.print(" "); Serial.println({value});')
        return {f"{FOLDER}/arduino/arduino.ino": fill(SKETCH, words)} if words else {}
