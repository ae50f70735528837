#pragma once
#include "tensorflow/lite/micro/declared.h"

namespace tflite {

inline TFLMRegistration Register_TRANSPOSE_CONV_INT8() { return {}; }

}  // namespace tflite
