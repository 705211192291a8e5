// Recurrences as operations of TensorFlow.
#include "recurrence.h"

#include "operation.h"

namespace seqtag {
namespace {

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

// The inputs that both begin with.
std::vector<const char*> with(std::initializer_list<const char*> more) {
  std::vector<const char*> all = {"hidden_start: T", "cell_start: T", "kernel: T", "peephole: T",
                                  "bias: T",         "mask: bool",    "dropout: T"};
  all.insert(all.end(), more);
  return all;
}

const std::vector<const char*> kAttributes = {"cell: int", "activation: int", "gate_activation: int", "reverse: bool"};

const bool forward_registered = register_operation({
    "SeqtagRecurrence",
    kAttributes,
    with({"inputs: T"}),
    {"hidden: T", "states: T", "trace: T", "hidden_end: T", "cell_end: T"},
    create,
    remove,
    compute_forward<float>,
    compute_forward<double>,
});

const bool backward_registered = register_operation({
    "SeqtagRecurrenceGrad",
    kAttributes,
    with({"hidden: T", "states: T", "trace: T", "d_outputs: T", "d_hidden_end: T", "d_cell_end: T"}),
    {"d_inputs: T", "d_recurrent: T", "d_hidden_start: T", "d_cell_start: T"},
    create,
    remove,
    compute_backward<float>,
    compute_backward<double>,
});

}  // namespace
}  // namespace seqtag
