// What the tests declare of LiteRT Micro (github.com/tensorflow/tflite-micro at 90b983c): names and signatures, no code
// of it. The headers of its own names include this one.
#pragma once

#include <cstddef>
#include <cstdint>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

union TfLitePtrUnion {
  void* data;
  char* raw;
  int8_t* int8;
  float* f;
};

struct TfLiteTensor {
  TfLitePtrUnion data;
  size_t bytes;
};

struct TFLMRegistration {};

void MicroPrintf(const char* format, ...);

namespace tflite {

class Model {
 public:
  uint32_t version() const { return 3; }
};

inline const Model* GetModel(const void* buffer) { return static_cast<const Model*>(buffer); }

class MicroOpResolver {};

void InitializeTarget();

}  // namespace tflite
