"""Texts of the C++ project for LiteRT Micro. `$words` are filled in by `microcontroller.py`."""

from __future__ import annotations

NOTICE = "Compiled by you, not by us."
"""Stands in every file that no test of ours has compiled for a device."""

MODEL_DATA_HEADER = """\
// Written by cnnpipe $version: the bytes of $file.
#ifndef ${guard}_MODEL_DATA_H_
#define ${guard}_MODEL_DATA_H_

#include <cstddef>

namespace $space {

constexpr size_t kModelBytes = $bytes;
extern const unsigned char kModelData[kModelBytes];

}  // namespace $space

#endif  // ${guard}_MODEL_DATA_H_
"""

MODEL_DATA = """\
// Written by cnnpipe $version: the bytes of $file (sha256 $sha256).
#include "model_data.h"

namespace $space {

// LiteRT Micro reads the model in place: a core without unaligned access faults on anything less than this alignment.
alignas(16) const unsigned char kModelData[kModelBytes] = {
$content
};

}  // namespace $space
"""

SETTINGS = """\
// Written by cnnpipe $version: what the model takes and gives, as bundle.json says it.
#ifndef ${guard}_MODEL_SETTINGS_H_
#define ${guard}_MODEL_SETTINGS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace $space {

// What reference kernels need ($how), and a fifth more, because other kernels may need it.
constexpr size_t kTensorArenaSize = $recommended;
constexpr size_t kReferenceArenaSize = $arena;

$body
}  // namespace $space

#endif  // ${guard}_MODEL_SETTINGS_H_
"""

OP_RESOLVER = """\
// Written by cnnpipe $version: the operators of the model, and no others, so that no other kernel is linked.
#ifndef ${guard}_OP_RESOLVER_H_
#define ${guard}_OP_RESOLVER_H_

$includes

namespace $space {

using OpResolver = tflite::MicroMutableOpResolver<$count>;

inline TfLiteStatus AddOperators(OpResolver& resolver) {
$calls
  return kTfLiteOk;
}

}  // namespace $space

#endif  // ${guard}_OP_RESOLVER_H_
"""

GOLDEN_HEADER = """\
// Written by cnnpipe $version: real examples, and what the model must say about them.
#ifndef ${guard}_GOLDEN_H_
#define ${guard}_GOLDEN_H_

#include "model_settings.h"

namespace $space {

constexpr int kGoldenSamples = $samples;
// Other kernels may round differently: how far a stored value may be off.
constexpr float kTolerance = $tolerance;
$arrays

}  // namespace $space

#endif  // ${guard}_GOLDEN_H_
"""

GOLDEN = """\
// Written by cnnpipe $version: $names.
#include "golden.h"

namespace $space {

$definitions
}  // namespace $space
"""

MODEL_HEADER = """\
// Written by cnnpipe $version. $notice
#ifndef ${guard}_MODEL_H_
#define ${guard}_MODEL_H_

#include "model_settings.h"

namespace $space {

// Prepares the model, once. False when it cannot run; the log says why.
bool Begin();
// Runs the model on what its input holds. False when it failed.
bool Run();
$functions

}  // namespace $space

#endif  // ${guard}_MODEL_H_
"""

MODEL = """\
// Written by cnnpipe $version. $notice
#include "model.h"

#include "model_data.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace $space {
namespace {

alignas(16) uint8_t tensor_arena[kTensorArenaSize];
tflite::MicroInterpreter* interpreter = nullptr;

}  // namespace

bool Begin() {
  const tflite::Model* model = tflite::GetModel(kModelData);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("The model has schema version %d, LiteRT Micro knows %d.", static_cast<int>(model->version()),
                static_cast<int>(TFLITE_SCHEMA_VERSION));
    return false;
  }
  static OpResolver resolver;
  if (AddOperators(resolver) != kTfLiteOk) return false;
  static tflite::MicroInterpreter made(model, resolver, tensor_arena, kTensorArenaSize);
  if (made.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("The tensor arena of %d bytes is too small.", static_cast<int>(kTensorArenaSize));
    return false;
  }
$checks
  interpreter = &made;
  return true;
}

bool Run() { return interpreter != nullptr && interpreter->Invoke() == kTfLiteOk; }
$accessors

}  // namespace $space
"""

MAIN = """\
// Written by cnnpipe $version. $notice
// Runs the golden samples and says which of them the device does not answer as it should.
#include <cmath>
#include <cstring>

#include "golden.h"
#include "model.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/system_setup.h"

using namespace $space;

namespace {

template <typename Value>
bool Near(const Value* found, const Value* wanted, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float difference = std::fabs(static_cast<float>(found[i]) - static_cast<float>(wanted[i]));
    if (!(difference <= kTolerance)) return false;
  }
  return true;
}

bool Check(int sample) {
$fill
  return Run()$compare;
}

}  // namespace

int main() {
  tflite::InitializeTarget();
  if (!Begin()) return 1;
  int failed = 0;
  for (int sample = 0; sample < kGoldenSamples; ++sample) {
    const bool passed = Check(sample);
    MicroPrintf("golden sample %d: %s", sample, passed ? "passed" : "FAILED");
    failed += passed ? 0 : 1;
  }
  MicroPrintf("%d of %d golden samples passed", kGoldenSamples - failed, kGoldenSamples);
  return failed;
}
"""

CMAKE = """\
# Written by cnnpipe $version. $notice
#   cmake -S . -B build -DTFLM_DIR=FOLDER && cmake --build build && build/$space
cmake_minimum_required(VERSION 3.16)
project($space LANGUAGES C CXX)

set(TFLM_DIR "" CACHE PATH "A tree of LiteRT Micro, as its create_tflm_tree.py writes it")
foreach(needed tensorflow/lite/micro/micro_interpreter.h third_party/flatbuffers/include)
  if(NOT EXISTS "$${TFLM_DIR}/$${needed}")
    message(FATAL_ERROR "TFLM_DIR ('$${TFLM_DIR}') is no tree of LiteRT Micro: $${needed} is missing. See README.md.")
  endif()
endforeach()

file(GLOB_RECURSE runtime_sources
  "$${TFLM_DIR}/tensorflow/*.cc" "$${TFLM_DIR}/tensorflow/*.c" "$${TFLM_DIR}/signal/*.cc"
  "$${TFLM_DIR}/third_party/cmsis_nn/Source/*.c")
list(FILTER runtime_sources EXCLUDE REGEX "_test[.]cc$$|/examples/|/testing/")
add_library(tflm STATIC $${runtime_sources})
target_compile_features(tflm PUBLIC cxx_std_17)
target_compile_definitions(tflm PUBLIC TF_LITE_STATIC_MEMORY TF_LITE_DISABLE_X86_NEON)
target_include_directories(tflm SYSTEM PUBLIC
  "$${TFLM_DIR}" "$${TFLM_DIR}/third_party/flatbuffers/include" "$${TFLM_DIR}/third_party/gemmlowp"
  "$${TFLM_DIR}/third_party/kissfft" "$${TFLM_DIR}/third_party/ruy")
if(EXISTS "$${TFLM_DIR}/third_party/cmsis_nn")  # a tree made with OPTIMIZED_KERNEL_DIR=cmsis_nn
  target_compile_definitions(tflm PUBLIC CMSIS_NN)
  target_include_directories(tflm SYSTEM PUBLIC
    "$${TFLM_DIR}/third_party/cmsis_nn" "$${TFLM_DIR}/third_party/cmsis_nn/Include")
endif()

add_executable($space main.cc model.cc model_data.cc golden.cc)
target_link_libraries($space PRIVATE tflm)
"""

README = """\
# $title on a microcontroller

$notice The arrays, the list of operators and the numbers are made of `$file`. That file itself was run in
LiteRT Micro on a computer if `bundle.json` says so under `proofs`; no board and no compiler for one was involved.

| File | What it is |
|---|---|
| `model_data.h`, `model_data.cc` | the bytes of `$file`, aligned to 16 |
| `op_resolver.h` | the $count kinds of operators that the model uses, and no others |
| `model_settings.h` | arena, sizes, scales, labels, and what a pixel becomes |
| `golden.h`, `golden.cc` | $samples real examples with the answers that the model must give |
| `model.h`, `model.cc` | `Begin`, `Run`, and where input and output lie |
| `main.cc`, `CMakeLists.txt` | a program that runs the golden samples, on a computer or a board |

Needed is LiteRT Micro (github.com/tensorflow/tflite-micro) of $since. Run the golden samples first:

```sh
git clone https://github.com/tensorflow/tflite-micro && cd tflite-micro
python3 tensorflow/lite/micro/tools/project_generation/create_tflm_tree.py ../tflm && cd ..
cmake -S . -B build -DTFLM_DIR=$$PWD/tflm && cmake --build build && build/$space
```

The arena has $recommended bytes: the reference kernels need $arena ($how), and other kernels may need more.
`Begin` says so when it is too small for those of your board; enlarge `kTensorArenaSize` then.
"""
