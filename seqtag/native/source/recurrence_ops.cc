// Recurrences as operations of TensorFlow.
#include "recurrence.h"

#include "operation.h"

namespace seqtag {
namespace {

struct Attributes {
  int64_t cell = 0, activation = 0, gate_activation = 0;
  unsigned char reverse = 0, packed = 0;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* found = new Attributes;
  TF_Status* status = TF_NewStatus();
  const std::pair<const char*, int64_t*> numbers[] = {
      {"cell", &found->cell}, {"activation", &found->activation}, {"gate_activation", &found->gate_activation}};
  for (const auto& [name, value] : numbers)
    if (TF_GetCode(status) == 0) TF_OpKernelConstruction_GetAttrInt64(construction, name, value, status);
  const std::pair<const char*, unsigned char*> switches[] = {{"reverse", &found->reverse}, {"packed", &found->packed}};
  for (const auto& [name, value] : switches)
    if (TF_GetCode(status) == 0) TF_OpKernelConstruction_GetAttrBool(construction, name, value, status);
  if (TF_GetCode(status) != 0) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return found;
}

void remove(void* attributes) { delete static_cast<Attributes*>(attributes); }

// The inputs that both operations begin with, in this order.
enum Shared { kHiddenStart, kCellStart, kKernel, kPeephole, kBias, kMask, kDropout, kSharedCount };

// What both passes share.
template <typename T>
struct Common {
  Recurrence<T> a = {};
  std::vector<int64_t> places;  // of the real steps, where it is packed
  int64_t packed_rows = 0;

  // Reads it; `sequence` is an input (steps, rows, ...).
  Common(Call& call, const Attributes& attributes, int sequence) {
    a.cell = Cell(attributes.cell);
    a.activation = Activation(attributes.activation);
    a.gate_activation = Activation(attributes.gate_activation);
    a.reverse = attributes.reverse;
    TF_Tensor *like = call.input(sequence), *kernel = call.input(kKernel), *dropout = call.input(kDropout);
    if (!call.ok()) return;
    if (TF_NumDims(like) < 2 || TF_NumDims(kernel) != 2 || TF_NumDims(dropout) != 3) {
      call.fail("a recurrence has inputs of another rank than it must");
      return;
    }
    a.steps = TF_Dim(like, 0);
    a.rows = TF_Dim(like, 1);
    a.units = TF_Dim(kernel, 0);
    const bool lstm = a.cell == kLstm;
    a.hidden_start = call.input<T>(kHiddenStart, type_of<T>, {a.rows, a.units});
    if (lstm) a.cell_start = call.input<T>(kCellStart, type_of<T>, {a.rows, a.units});
    a.kernel = call.input<T>(kKernel, type_of<T>, {a.units, gates_of(a.cell) * a.units});
    if (lstm) a.peephole = call.optional<T>(kPeephole, type_of<T>, {3, a.units});
    if (a.cell == kGru) a.bias = call.optional<T>(kBias, type_of<T>, {3 * a.units});
    a.mask = call.optional<uint8_t>(kMask, kBool, {a.steps, a.rows});
    a.dropout_steps = TF_Dim(dropout, 0);
    if (a.dropout_steps > 1 && a.dropout_steps != a.steps)
      call.fail("a recurrence has dropout for another number of steps");
    a.dropout = call.optional<T>(kDropout, type_of<T>, {a.dropout_steps, a.rows, a.units});
    if (attributes.packed && call.ok()) pack();
  }

  void pack() {
    places.resize(a.steps * a.rows + 1);  // never empty, so that it has an address
    for (int64_t n = 0; n < a.steps * a.rows; ++n) {
      places[n] = packed_rows;
      packed_rows += !a.mask || a.mask[n];
    }
    a.packed = places.data();
  }

  // Numbers of something that may be packed, `width` for each step.
  const T* packable(Call& call, int number, int64_t width) const {
    return a.packed ? call.input<T>(number, type_of<T>, {packed_rows, width})
                    : call.input<T>(number, type_of<T>, {a.steps, a.rows, width});
  }
  T* packable_output(Call& call, int number, int64_t width, bool wanted = true) const {
    return a.packed ? call.output<T>(number, {wanted ? packed_rows : 0, width})
                    : call.output<T>(number, {a.steps, wanted ? a.rows : 0, width});
  }
};

template <typename T>
void compute_forward(void* attributes, TF_OpKernelContext* context) {
  Call call(context);
  const auto& with = *static_cast<Attributes*>(attributes);
  const int inputs = kSharedCount;
  Common<T> shared(call, with, with.packed ? int(kMask) : inputs);
  if (!call.ok()) return;
  Recurrence<T>& a = shared.a;
  const bool lstm = a.cell == kLstm;
  a.inputs = shared.packable(call, inputs, gates_of(a.cell) * a.units);
  a.hidden = call.output<T>(0, {a.steps, a.rows, a.units});
  a.states = call.output<T>(1, {a.steps, lstm ? a.rows : 0, a.units});
  a.trace = shared.packable_output(call, 2, trace_of(a.cell) * a.units);
  a.hidden_end = call.output<T>(3, {a.rows, a.units});
  a.cell_end = call.output<T>(4, {lstm ? a.rows : 0, a.units});
  if (call.ok()) run_forward(a);
}

template <typename T>
void compute_backward(void* attributes, TF_OpKernelContext* context) {
  Call call(context);
  enum { kHidden = kSharedCount, kStates, kTrace, kDOutputs, kDHiddenEnd, kDCellEnd };
  Common<T> shared(call, *static_cast<Attributes*>(attributes), kHidden);
  if (!call.ok()) return;
  Recurrence<T>& a = shared.a;
  const bool lstm = a.cell == kLstm;
  const auto read = [&](int number, std::initializer_list<int64_t> shape) {
    // The passes write into what one makes and the other one reads.
    return const_cast<T*>(call.input<T>(number, type_of<T>, shape));
  };
  a.hidden = read(kHidden, {a.steps, a.rows, a.units});
  if (lstm) a.states = read(kStates, {a.steps, a.rows, a.units});
  a.trace = const_cast<T*>(shared.packable(call, kTrace, trace_of(a.cell) * a.units));
  a.d_outputs = read(kDOutputs, {a.steps, a.rows, a.units});
  a.d_hidden_end = read(kDHiddenEnd, {a.rows, a.units});
  if (lstm) a.d_cell_end = read(kDCellEnd, {a.rows, a.units});
  const int64_t width = gates_of(a.cell) * a.units;
  a.d_inputs = shared.packable_output(call, 0, width);
  a.d_recurrent = shared.packable_output(call, 1, width, a.cell == kGru);
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

const std::vector<const char*> kAttributes = {"cell: int", "activation: int", "gate_activation: int", "reverse: bool",
                                              "packed: bool"};

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
