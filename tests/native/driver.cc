// Runs the kernels over random shapes without TensorFlow, for the compiler's sanitizers: buffers have not a number more than
// they need. `kernels.cc` is compiled for plain instructions alone; the other variants stand here empty.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "pool.h"
#include "variants.h"

namespace seqtag {
#if defined(__x86_64__)
extern const Variant variant_v3{}, variant_v4{};
#endif
}  // namespace seqtag

using namespace seqtag;

template <typename T>
struct Buffers {
  std::mt19937 random;
  std::vector<std::unique_ptr<T[]>> kept;

  T* of(int64_t count) {
    kept.emplace_back(new T[count]);
    return kept.back().get();
  }
  T* drawn(int64_t count, T scale = 1) {
    std::normal_distribution<double> normal;
    T* found = of(count);
    for (int64_t n = 0; n < count; ++n) found[n] = scale * T(normal(random));
    return found;
  }
};

int draw(std::mt19937& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

std::vector<uint8_t> drawn_mask(std::mt19937& random, int64_t count) {
  std::vector<uint8_t> mask(count);
  for (auto& bit : mask) bit = draw(random, 0, 3) > 0;
  return mask;
}

template <typename T>
double recurrence_of(unsigned seed) {
  Buffers<T> with{std::mt19937(seed), {}};
  auto& random = with.random;
  Recurrence<T> a = {};
  a.cell = Cell(draw(random, 0, 2));
  a.activation = Activation(draw(random, 0, 4));
  a.gate_activation = Activation(draw(random, 1, 2));
  a.steps = draw(random, 0, 6);
  a.rows = draw(random, 0, 20);
  a.units = draw(random, 1, 37);
  a.reverse = draw(random, 0, 1);
  const int64_t places = a.steps * a.rows, gates = gates_of(a.cell) * a.units, of_rows = a.rows * a.units;
  const auto mask = drawn_mask(random, places);
  if (draw(random, 0, 1)) a.mask = mask.data();
  std::vector<int64_t> packed(places + 1);
  int64_t kept = 0;
  for (int64_t n = 0; n < places; ++n) {
    packed[n] = kept;
    kept += !a.mask || mask[n];
  }
  if (draw(random, 0, 1)) a.packed = packed.data();
  const int64_t given = a.packed ? kept : places;  // rows of what may be packed
  a.dropout_steps = draw(random, 0, 1) ? 1 : a.steps;
  if (draw(random, 0, 1)) a.dropout = with.drawn(a.dropout_steps * of_rows);
  a.kernel = with.drawn(a.units * gates, T(0.2));
  if (a.cell == kLstm && draw(random, 0, 1)) a.peephole = with.drawn(3 * a.units);
  if (a.cell == kGru && draw(random, 0, 1)) a.bias = with.drawn(3 * a.units);
  const bool lstm = a.cell == kLstm;
  a.hidden_start = with.drawn(of_rows);
  if (lstm) a.cell_start = with.drawn(of_rows);
  a.inputs = with.drawn(given * gates);
  a.hidden = with.of(places * a.units);
  if (lstm) a.states = with.of(places * a.units);
  a.trace = with.of(given * trace_of(a.cell) * a.units);
  a.hidden_end = with.of(of_rows);
  if (lstm) a.cell_end = with.of(of_rows);
  run_forward(a);
  a.d_outputs = with.drawn(places * a.units);
  a.d_hidden_end = with.drawn(of_rows);
  if (lstm) a.d_cell_end = with.drawn(of_rows);
  a.d_inputs = with.of(given * gates);
  if (a.cell == kGru) a.d_recurrent = with.of(given * gates);
  a.d_hidden_start = with.of(of_rows);
  if (lstm) a.d_cell_start = with.of(of_rows);
  run_backward(a);
  // Every number that was to be written is read.
  double sum = 0;
  for (int64_t n = 0; n < given * gates; ++n) sum += double(a.d_inputs[n]);
  for (int64_t n = 0; n < of_rows; ++n) sum += double(a.hidden_end[n]) + double(a.d_hidden_start[n]);
  for (int64_t n = 0; n < places * a.units; ++n) sum += double(a.hidden[n]);
  return sum;
}

template <typename T>
double crf_of(unsigned seed) {
  Buffers<T> with{std::mt19937(seed), {}};
  auto& random = with.random;
  Chain<T> a = {};
  a.rows = draw(random, 0, 20);
  a.steps = draw(random, 0, 7);
  a.tags = draw(random, 1, 20);
  const T scale = T(std::pow(10.0, draw(random, -1, 4)));
  const auto mask = drawn_mask(random, a.rows * a.steps);
  a.mask = mask.data();
  a.emissions = with.drawn(a.rows * a.steps * a.tags, scale);
  a.start = with.drawn(a.tags, scale);
  T* transitions = with.drawn(a.tags * a.tags, scale);
  for (int64_t n = 0; n < a.tags * a.tags; ++n)
    if (!draw(random, 0, 3)) transitions[n] = -std::numeric_limits<T>::infinity();
  a.transitions = transitions;
  a.end = with.drawn(a.tags, scale);
  a.log_partition = with.of(a.rows);
  a.marginals = with.of(a.rows * a.steps * a.tags);
  a.first = with.of(a.rows * a.tags);
  a.last = with.of(a.rows * a.tags);
  a.moves = with.of(a.rows * a.tags * a.tags);
  std::vector<int32_t> path(a.rows * a.steps);
  a.path = path.data();
  run_expectations(a);
  run_best_path(a);
  double sum = 0;
  for (int64_t n = 0; n < a.rows * a.steps * a.tags; ++n) sum += double(a.marginals[n]);
  for (int64_t n = 0; n < a.rows * a.tags * a.tags; ++n) sum += double(a.moves[n]);
  for (int32_t tag : path)
    if (tag < 0 || tag >= a.tags) return NAN;
  return sum;
}

int main() {
  if (!use_variant("sse2") && !use_variant("base")) return 2;
  set_threads(3);
  // Several threads ask the pool at the same time, as TensorFlow's do.
  std::vector<std::thread> callers;
  std::vector<int> faults(3);
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([caller, &faults] {
      for (unsigned seed = 0; seed < 60; ++seed) {
        const double of_seed[] = {recurrence_of<float>(seed), recurrence_of<double>(seed), crf_of<float>(seed),
                                  crf_of<double>(seed)};
        for (double sum : of_seed) faults[caller] += std::isnan(sum);
      }
    });
  for (auto& caller : callers) caller.join();
  const int all = faults[0] + faults[1] + faults[2];
  std::printf("%d faults\n", all);
  return all != 0;
}
