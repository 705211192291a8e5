// Operations of TensorFlow: what they read and write, and how they are registered.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow.h"

namespace seqtag {
namespace {

constexpr TF_DataType kFloat = 1, kDouble = 2, kInt = 3, kBool = 10;
constexpr TF_Code kInvalidArgument = 3;

template <typename T>
constexpr TF_DataType type_of = sizeof(T) == sizeof(float) ? kFloat : kDouble;

// The inputs and outputs of a call. The first fault ends it: what comes after finds `ok()` false.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}

  ~Call() {
    if (!ok()) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  bool ok() const { return TF_GetCode(status_) == 0; }

  TF_Tensor* input(int number) {
    TF_Tensor* tensor = nullptr;
    if (ok()) TF_GetInput(context_, number, &tensor, status_);
    if (tensor) tensors_.push_back(tensor);
    return tensor;
  }

  // The numbers of an input that must have this shape; null where it has no numbers.
  template <typename T>
  const T* input(int number, TF_DataType type, std::initializer_list<int64_t> shape) {
    TF_Tensor* tensor = input(number);
    if (!tensor) return nullptr;
    bool same = TF_TensorType(tensor) == type && TF_NumDims(tensor) == int(shape.size());
    int64_t count = 1;
    int axis = 0;
    for (int64_t size : shape) {
      same = same && TF_Dim(tensor, axis++) == size;
      count *= size;
    }
    if (!same) fail("input " + std::to_string(number) + " has another shape or type than it must");
    return ok() && count ? static_cast<const T*>(TF_TensorData(tensor)) : nullptr;
  }

  // The same of an input that is empty where there is none.
  template <typename T>
  const T* optional(int number, TF_DataType type, std::initializer_list<int64_t> shape) {
    TF_Tensor* tensor = input(number);
    if (!tensor || !elements(tensor)) return nullptr;
    return input<T>(number, type, shape);
  }

  template <typename T>
  T* output(int number, std::initializer_list<int64_t> shape, TF_DataType type = type_of<T>) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    if (!ok()) return nullptr;
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, number, type, shape.begin(), int(shape.size()), count * sizeof(T), status_);
    if (tensor) tensors_.push_back(tensor);
    return ok() && count ? static_cast<T*>(TF_TensorData(tensor)) : nullptr;
  }

  void fail(const std::string& message) {
    if (ok()) TF_SetStatus(status_, kInvalidArgument, message.c_str());
  }

  static int64_t elements(const TF_Tensor* tensor) {
    int64_t count = 1;
    for (int axis = 0; axis < TF_NumDims(tensor); ++axis) count *= TF_Dim(tensor, axis);
    return count;
  }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

using Compute = void (*)(void*, TF_OpKernelContext*);

// An operation whose attributes are T, float or double, and these; `create` reads them and `remove` forgets them.
struct Operation {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
  void* (*create)(TF_OpKernelConstruction*);
  void (*remove)(void*);
  Compute of_floats, of_doubles;
};

// TensorFlow takes the operations that register themselves while it loads a library.
inline bool register_operation(const Operation& operation) {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
  TF_OpDefinitionBuilderAddAttr(definition, "T: {float, double}");
  for (const char* attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  // Python knows the shapes.
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, TF_ShapeInferenceContextSetUnknownShape);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(definition, status);
  const std::pair<TF_DataType, Compute> kernels[] = {{kFloat, operation.of_floats}, {kDouble, operation.of_doubles}};
  for (const auto& [type, compute] : kernels) {
    TF_KernelBuilder* builder =
        TF_NewKernelBuilder(operation.name, "CPU", operation.create, compute, operation.remove);
    TF_KernelBuilder_TypeConstraint(builder, "T", type, status);
    TF_RegisterKernelBuilder(operation.name, builder, status);
  }
  TF_DeleteStatus(status);
  return true;
}

}  // namespace
}  // namespace seqtag
