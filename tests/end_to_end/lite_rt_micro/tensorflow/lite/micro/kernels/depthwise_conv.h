#pragma once
#include "tensorflow/lite/micro/declared.h"

namespace tflite {

inline TFLMRegistration Register_DEPTHWISE_CONV_2D_INT8() { return {}; }

}  // namespace tflite
