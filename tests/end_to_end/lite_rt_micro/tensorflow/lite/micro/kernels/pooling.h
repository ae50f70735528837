#pragma once
#include "tensorflow/lite/micro/declared.h"

namespace tflite {

inline TFLMRegistration Register_AVERAGE_POOL_2D_INT8() { return {}; }
inline TFLMRegistration Register_MAX_POOL_2D_INT8() { return {}; }

}  // namespace tflite
