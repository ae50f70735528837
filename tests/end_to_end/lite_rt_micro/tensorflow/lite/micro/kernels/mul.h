#pragma once
#include "tensorflow/lite/micro/declared.h"

namespace tflite {

inline TFLMRegistration Register_MUL_INT8() { return {}; }

}  // namespace tflite
