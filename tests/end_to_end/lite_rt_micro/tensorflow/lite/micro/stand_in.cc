// Stands in for the runtime when a bundle's project is built by a test: it knows the golden answers, and the last one
// wrong where WRONG is defined.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "golden.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

using namespace colours_model;

void MicroPrintf(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
}

namespace tflite {

void InitializeTarget() {}

MicroInterpreter::MicroInterpreter(const Model* model, const MicroOpResolver&, uint8_t* tensor_arena, size_t size)
    : model_(model), arena_(tensor_arena), size_(size) {}

TfLiteStatus MicroInterpreter::AllocateTensors() {
  input_.bytes = sizeof(kGoldenInput[0]);
  output_.bytes = sizeof(kGoldenOutput[0]);
  input_.data.raw = reinterpret_cast<char*>(arena_);
  output_.data.raw = input_.data.raw + input_.bytes;
  const bool aligned = reinterpret_cast<uintptr_t>(arena_) % 16 == 0 && reinterpret_cast<uintptr_t>(model_) % 16 == 0;
  return aligned && size_ >= input_.bytes + output_.bytes ? kTfLiteOk : kTfLiteError;
}

TfLiteStatus MicroInterpreter::Invoke() {
  for (int sample = 0; sample < kGoldenSamples; ++sample) {
    if (std::memcmp(input_.data.raw, kGoldenInput[sample], input_.bytes) != 0) continue;
    std::memcpy(output_.data.raw, kGoldenOutput[sample], output_.bytes);
#ifdef WRONG
    if (sample == kGoldenSamples - 1) output_.data.raw[0] ^= 0x7f;
#endif
    return kTfLiteOk;
  }
  return kTfLiteError;
}

TfLiteTensor* MicroInterpreter::input(size_t) { return &input_; }
TfLiteTensor* MicroInterpreter::output(size_t) { return &output_; }

}  // namespace tflite
