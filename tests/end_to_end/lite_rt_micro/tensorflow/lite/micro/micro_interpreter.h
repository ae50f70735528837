#pragma once
#include "tensorflow/lite/micro/declared.h"

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, uint8_t* tensor_arena,
                   size_t tensor_arena_size);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(size_t index);
  TfLiteTensor* output(size_t index);

 private:
  const void* model_;
  uint8_t* arena_;
  size_t size_;
  TfLiteTensor input_, output_;
};

}  // namespace tflite
