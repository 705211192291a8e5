// Recurrences over whole sequences: the plain interface, which knows nothing of TensorFlow.
//
// Time is the first axis of all that has one. `mask` is null or (steps, rows), 1 where a step is real: a step that is not
// leaves the state as it is, whatever its inputs are. `dropout` is null or (dropout_steps, rows, units) with 1 or all steps:
// factors on the hidden state that enters the recurrent product. Rows do not know of one another, so that any share of
// them can be computed anywhere and in any company, to the same bits.
#pragma once

#include <cstdint>

namespace seqtag {

enum Cell { kSimpleRnn = 0, kGru = 1, kLstm = 2 };

// Whose slope follows from their value.
enum Activation { kLinear = 0, kTanh = 1, kSigmoid = 2, kRelu = 3, kLeakyRelu = 4 };

// Gates of the recurrent product, and numbers of a trace, both as multiples of the units.
constexpr int gates_of(Cell cell) { return cell == kSimpleRnn ? 1 : cell == kGru ? 3 : 4; }
constexpr int trace_of(Cell cell) { return cell == kSimpleRnn ? 0 : 4; }

template <typename T>
struct Recurrence {
  Cell cell;
  Activation activation, gate_activation;
  int64_t steps, rows, units;
  bool reverse;
  const uint8_t* mask;
  const T* dropout;
  int64_t dropout_steps;
  // Null; or where a real step of (steps, rows) stands in what is packed: `inputs`, `trace`, `d_inputs` and `d_recurrent` then
  // have a row for each real step alone, in their order.
  const int64_t* packed;
  const T* kernel;    // (units, gates * units)
  const T* peephole;  // (3, units) for i, f, o of an LSTM, or null
  const T* bias;      // (3 * units) of a GRU's recurrent product, or null
  const T* hidden_start;
  const T* cell_start;  // of an LSTM: (rows, units)

  // Made forwards, read backwards.
  T* hidden;  // (steps, rows, units)
  T* states;  // of an LSTM its cell (steps, rows, units)
  T* trace;   // (steps, rows, 4 * units): i, f, g, o of an LSTM; z, r, candidate, U_h h + b_h of a GRU

  // Of the forward pass: the projected inputs, and the state after all steps.
  const T* inputs;  // (steps, rows, gates * units)
  T* hidden_end;
  T* cell_end;

  // Of the backward pass.
  const T* d_outputs;     // (steps, rows, units)
  const T* d_hidden_end;  // (rows, units)
  const T* d_cell_end;
  T* d_inputs;     // (steps, rows, gates * units)
  T* d_recurrent;  // of a GRU, the gradient in its recurrent product; that in the inputs is its own
  T* d_hidden_start;
  T* d_cell_start;
};

// What one instruction set computes. A pass first packs the kernel into panels, then runs any rows of the batch.
template <typename T>
struct Passes {
  int64_t (*forward_size)(const Recurrence<T>&);  // how many numbers the panels have
  void (*forward_pack)(const Recurrence<T>&, T* panels);
  void (*forward)(const Recurrence<T>&, const T* panels, const int32_t* rows, int64_t count);
  int64_t (*backward_size)(const Recurrence<T>&);
  void (*backward_pack)(const Recurrence<T>&, T* panels);
  void (*backward)(const Recurrence<T>&, const T* panels, const int32_t* rows, int64_t count);
};

// Runs a pass over all rows, shared out among the threads of the pool.
template <typename T>
void run_forward(const Recurrence<T>& recurrence);
template <typename T>
void run_backward(const Recurrence<T>& recurrence);

}  // namespace seqtag
