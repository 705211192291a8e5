// The kernels as operations of TensorFlow.

#include <initializer_list>
#include <string>
#include <vector>

#include "pool.h"
#include "recurrence.h"
#include "tensorflow.h"
#include "variants.h"

namespace seqtag {
namespace {

constexpr TF_DataType kFloat = 1, kDouble = 2, kBool = 10;
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
    if (!same) fail("input " + std::to_string(number) + " of a recurrence has another shape or type than it must");
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
  T* output(int number, std::initializer_list<int64_t> shape) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    if (!ok()) return nullptr;
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, number, type_of<T>, shape.begin(), int(shape.size()), count * sizeof(T), status_);
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

struct Attributes {
  int64_t cell = 0, activation = 0, gate_activation = 0;
  unsigned char reverse = 0;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* found = new Attributes;
  TF_Status* status = TF_NewStatus();
  const std::pair<const char*, int64_t*> numbers[] = {
      {"cell", &found->cell}, {"activation", &found->activation}, {"gate_activation", &found->gate_activation}};
  for (const auto& [name, value] : numbers)
    if (TF_GetCode(status) == 0) TF_OpKernelConstruction_GetAttrInt64(construction, name, value, status);
  if (TF_GetCode(status) == 0)
    TF_OpKernelConstruction_GetAttrBool(construction, "reverse", &found->reverse, status);
  if (TF_GetCode(status) != 0) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return found;
}

void remove(void* attributes) { delete static_cast<Attributes*>(attributes); }

// The inputs that both operations begin with, in this order.
enum Shared { kHiddenStart, kCellStart, kKernel, kPeephole, kBias, kMask, kDropout, kSharedCount };

// Reads what both passes share; `like` is an input (steps, rows, ...).
template <typename T>
Recurrence<T> shared(Call& call, const Attributes& attributes, int like, int64_t units_of_like) {
  Recurrence<T> a = {};
  a.cell = Cell(attributes.cell);
  a.activation = Activation(attributes.activation);
  a.gate_activation = Activation(attributes.gate_activation);
  a.reverse = attributes.reverse;
  TF_Tensor *sequence = call.input(like), *kernel = call.input(kKernel), *dropout = call.input(kDropout);
  if (!call.ok()) return a;
  if (TF_NumDims(sequence) != 3 || TF_NumDims(kernel) != 2 || TF_NumDims(dropout) != 3) {
    call.fail("a recurrence has inputs of another rank than it must");
    return a;
  }
  a.steps = TF_Dim(sequence, 0);
  a.rows = TF_Dim(sequence, 1);
  a.units = TF_Dim(kernel, 0);
  const int64_t gates = gates_of(a.cell), width = units_of_like ? units_of_like : gates;
  if (TF_Dim(sequence, 2) != width * a.units) call.fail("a recurrence has inputs of another width than its kernel");
  const bool lstm = a.cell == kLstm;
  a.hidden_start = call.input<T>(kHiddenStart, type_of<T>, {a.rows, a.units});
  if (lstm) a.cell_start = call.input<T>(kCellStart, type_of<T>, {a.rows, a.units});
  a.kernel = call.input<T>(kKernel, type_of<T>, {a.units, gates * a.units});
  if (lstm) a.peephole = call.optional<T>(kPeephole, type_of<T>, {3, a.units});
  if (a.cell == kGru) a.bias = call.optional<T>(kBias, type_of<T>, {3 * a.units});
  a.mask = call.optional<uint8_t>(kMask, kBool, {a.steps, a.rows});
  a.dropout_steps = TF_Dim(dropout, 0);
  if (a.dropout_steps > 1 && a.dropout_steps != a.steps) call.fail("a recurrence has dropout for another number of steps");
  a.dropout = call.optional<T>(kDropout, type_of<T>, {a.dropout_steps, a.rows, a.units});
  return a;
}

template <typename T>
void compute_forward(void* attributes, TF_OpKernelContext* context) {
  Call call(context);
  const int inputs = kSharedCount;
  Recurrence<T> a = shared<T>(call, *static_cast<Attributes*>(attributes), inputs, 0);
  if (!call.ok()) return;
  const bool lstm = a.cell == kLstm;
  a.inputs = call.input<T>(inputs, type_of<T>, {a.steps, a.rows, gates_of(a.cell) * a.units});
  a.hidden = call.output<T>(0, {a.steps, a.rows, a.units});
  a.states = call.output<T>(1, {a.steps, lstm ? a.rows : 0, a.units});
  a.trace = call.output<T>(2, {a.steps, a.rows, trace_of(a.cell) * a.units});
  a.hidden_end = call.output<T>(3, {a.rows, a.units});
  a.cell_end = call.output<T>(4, {lstm ? a.rows : 0, a.units});
  if (call.ok()) run_forward(a);
}

template <typename T>
void compute_backward(void* attributes, TF_OpKernelContext* context) {
  Call call(context);
  enum { kHidden = kSharedCount, kStates, kTrace, kDOutputs, kDHiddenEnd, kDCellEnd };
  Recurrence<T> a = shared<T>(call, *static_cast<Attributes*>(attributes), kHidden, 1);
  if (!call.ok()) return;
  const bool lstm = a.cell == kLstm;
  const auto read = [&](int number, std::initializer_list<int64_t> shape) {
    // The passes write into what one makes and the other one reads.
    return const_cast<T*>(call.input<T>(number, type_of<T>, shape));
  };
  a.hidden = read(kHidden, {a.steps, a.rows, a.units});
  if (lstm) a.states = read(kStates, {a.steps, a.rows, a.units});
  a.trace = read(kTrace, {a.steps, a.rows, trace_of(a.cell) * a.units});
  a.d_outputs = read(kDOutputs, {a.steps, a.rows, a.units});
  a.d_hidden_end = read(kDHiddenEnd, {a.rows, a.units});
  if (lstm) a.d_cell_end = read(kDCellEnd, {a.rows, a.units});
  const int64_t width = gates_of(a.cell) * a.units;
  a.d_inputs = call.output<T>(0, {a.steps, a.rows, width});
  a.d_recurrent = call.output<T>(1, {a.steps, a.cell == kGru ? a.rows : 0, width});
  a.d_hidden_start = call.output<T>(2, {a.rows, a.units});
  a.d_cell_start = call.output<T>(3, {lstm ? a.rows : 0, a.units});
  if (call.ok()) run_backward(a);
}

struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs;
  void (*of_floats)(void*, TF_OpKernelContext*);
  void (*of_doubles)(void*, TF_OpKernelContext*);
};

void register_operation(const Operation& operation) {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
  for (const char* attribute : {"T: {float, double}", "cell: int", "activation: int", "gate_activation: int", "reverse: bool"})
    TF_OpDefinitionBuilderAddAttr(definition, attribute);
  for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, TF_ShapeInferenceContextSetUnknownShape);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(definition, status);
  const std::pair<TF_DataType, void (*)(void*, TF_OpKernelContext*)> kernels[] = {{kFloat, operation.of_floats},
                                                                                {kDouble, operation.of_doubles}};
  for (const auto& [type, compute] : kernels) {
    TF_KernelBuilder* builder = TF_NewKernelBuilder(operation.name, "CPU", create, compute, remove);
    TF_KernelBuilder_TypeConstraint(builder, "T", type, status);
    TF_RegisterKernelBuilder(operation.name, builder, status);
  }
  TF_DeleteStatus(status);
}

// TensorFlow takes the operations that register themselves while it loads a library.
const bool registered = [] {
  const std::vector<const char*> shared = {"hidden_start: T", "cell_start: T", "kernel: T", "peephole: T",
                                           "bias: T",         "mask: bool",    "dropout: T"};
  const auto with = [&](std::initializer_list<const char*> more) {
    auto all = shared;
    all.insert(all.end(), more);
    return all;
  };
  register_operation({"SeqtagRecurrence",
                      with({"inputs: T"}),
                      {"hidden: T", "states: T", "trace: T", "hidden_end: T", "cell_end: T"},
                      compute_forward<float>,
                      compute_forward<double>});
  register_operation({"SeqtagRecurrenceGrad",
                      with({"hidden: T", "states: T", "trace: T", "d_outputs: T", "d_hidden_end: T", "d_cell_end: T"}),
                      {"d_inputs: T", "d_recurrent: T", "d_hidden_start: T", "d_cell_start: T"},
                      compute_backward<float>,
                      compute_backward<double>});
  return true;
}();

}  // namespace
}  // namespace seqtag

#define SEQTAG_PUBLIC extern "C" __attribute__((visibility("default")))

// What Python sets and asks.
SEQTAG_PUBLIC void seqtag_set_threads(int count) { seqtag::set_threads(count); }
SEQTAG_PUBLIC const char* seqtag_source_hash() { return SEQTAG_SOURCE_HASH; }
SEQTAG_PUBLIC int seqtag_threads() { return seqtag::threads(); }
SEQTAG_PUBLIC const char* seqtag_instructions() { return seqtag::variant_name(); }
SEQTAG_PUBLIC int seqtag_use_instructions(const char* name) { return seqtag::use_variant(name); }
