// The passes of a recurrence for one instruction set.
//
// A step is a product of the rows that are real at it with the packed kernel, then the gates, row by row. Masked rows cost
// a copy and no product.

#pragma once

#include <type_traits>
#include <vector>

#include "product.h"
#include "recurrence.h"

namespace seqtag {
namespace {

template <typename T>
inline Vector<T> activated(Activation kind, Vector<T> x) {
  switch (kind) {
    case kTanh: return tanh(x);
    case kSigmoid: return sigmoid(x);
    case kRelu: return x > T(0) ? x : Vector<T>{};
    case kLeakyRelu: return x > T(0) ? x : x * T(0.2);
    default: return x;
  }
}

template <typename T>
inline Vector<T> slope(Activation kind, Vector<T> y) {
  const Vector<T> one = Vector<T>{} + T(1);
  switch (kind) {
    case kTanh: return one - y * y;
    case kSigmoid: return y * (one - y);
    case kRelu: return y > T(0) ? one : Vector<T>{};
    case kLeakyRelu: return y > T(0) ? one : Vector<T>{} + T(0.2);
    default: return one;
  }
}

// The activations of a recurrence. `kUsual`: they are tanh and sigmoid, known while this is compiled and so written out.
template <typename T, bool kUsual>
struct Activations {
  const Recurrence<T>& a;
  Activation of_values() const { return kUsual ? kTanh : a.activation; }
  Activation of_gates() const { return kUsual ? kSigmoid : a.gate_activation; }
  Vector<T> value(Vector<T> x) const { return activated<T>(of_values(), x); }
  Vector<T> gate(Vector<T> x) const { return activated<T>(of_gates(), x); }
  Vector<T> value_slope(Vector<T> y) const { return slope<T>(of_values(), y); }
  Vector<T> gate_slope(Vector<T> y) const { return slope<T>(of_gates(), y); }
};

// A row at a step. The pointers are those of the row.
template <typename T>
struct At {
  int64_t place;    // in a tensor (steps, rows, ...), in rows
  int64_t packed;   // in a tensor that may be packed
  const T* hidden;  // before the step
  const T* cell;
};

// Calls f(unit, count) for each vector of units.
template <typename T, typename F>
inline void each_vector(int64_t units, F f) {
  int64_t u = 0;
  for (; u + Lanes<T>::count <= units; u += Lanes<T>::count) f(u, Lanes<T>::count);
  if (u < units) f(u, int(units - u));
}

// The gates of a row; `sums` is its recurrent product.
template <typename T, Cell kCell, bool kUsual>
void step_forward(const Recurrence<T>& a, const At<T>& at, const T* sums) {
  constexpr int kGates = gates_of(kCell);
  const Activations<T, kUsual> with{a};
  const int64_t width = a.units;
  const T* input = a.inputs + at.packed * kGates * width;
  T *hidden = a.hidden + at.place * width, *trace = a.trace + at.packed * 4 * width;
  T* state = kCell == kLstm ? a.states + at.place * width : nullptr;
  each_vector<T>(width, [&](int64_t u, int count) {
    const auto sum = [&](int gate) { return load(sums + gate * width + u, count); };
    const auto projected = [&](int gate) { return load(input + gate * width + u, count); };
    const auto keep = [&](int n, Vector<T> value) { store(trace + n * width + u, value, count); };
    if constexpr (kCell == kSimpleRnn) {
      store(hidden + u, with.value(projected(0) + sum(0)), count);
    } else if constexpr (kCell == kGru) {
      Vector<T> z = projected(0) + sum(0), r = projected(1) + sum(1), term = sum(2);
      if (a.bias) {
        z += load(a.bias + u, count);
        r += load(a.bias + width + u, count);
        term += load(a.bias + 2 * width + u, count);
      }
      z = with.gate(z);
      r = with.gate(r);
      const Vector<T> candidate = with.value(projected(2) + r * term);
      store(hidden + u, z * load(at.hidden + u, count) + (T(1) - z) * candidate, count);
      keep(0, z);
      keep(1, r);
      keep(2, candidate);
      keep(3, term);
    } else {
      const Vector<T> before = load(at.cell + u, count);
      Vector<T> i = projected(0) + sum(0), f = projected(1) + sum(1), o = projected(3) + sum(3);
      if (a.peephole) {
        i += before * load(a.peephole + u, count);
        f += before * load(a.peephole + width + u, count);
      }
      i = with.gate(i);
      f = with.gate(f);
      const Vector<T> g = with.value(projected(2) + sum(2));
      const Vector<T> cell = f * before + i * g;
      if (a.peephole) o += cell * load(a.peephole + 2 * width + u, count);
      o = with.gate(o);
      store(state + u, cell, count);
      store(hidden + u, o * with.value(cell), count);
      keep(0, i);
      keep(1, f);
      keep(2, g);
      keep(3, o);
    }
  });
}

// From the gradients after a step of a row to those in its sums; leaves in `d_hidden` what reaches the state before
// without the recurrent product, and in `d_cell` all that reaches the cell before.
template <typename T, Cell kCell, bool kUsual>
void step_backward(const Recurrence<T>& a, const At<T>& at, T* d_hidden, T* d_cell) {
  const Activations<T, kUsual> with{a};
  const int64_t width = a.units;
  const T *d_output = a.d_outputs + at.place * width, *hidden = a.hidden + at.place * width;
  const T* trace = a.trace + at.packed * 4 * width;
  T* d_input = a.d_inputs + at.packed * gates_of(kCell) * width;
  each_vector<T>(width, [&](int64_t u, int count) {
    const auto kept = [&](int n) { return load(trace + n * width + u, count); };
    const auto give = [&](int gate, Vector<T> value) { store(d_input + gate * width + u, value, count); };
    const Vector<T> dh = load(d_hidden + u, count) + load(d_output + u, count);
    if constexpr (kCell == kSimpleRnn) {
      give(0, dh * with.value_slope(load(hidden + u, count)));
      store(d_hidden + u, Vector<T>{}, count);
    } else if constexpr (kCell == kGru) {
      T* d_sum = a.d_recurrent + at.packed * 3 * width + u;
      const Vector<T> z = kept(0), r = kept(1), candidate = kept(2), term = kept(3);
      const Vector<T> d_candidate = dh * (T(1) - z) * with.value_slope(candidate);
      const Vector<T> dz = dh * (load(at.hidden + u, count) - candidate) * with.gate_slope(z);
      const Vector<T> dr = d_candidate * term * with.gate_slope(r);
      give(0, dz);
      give(1, dr);
      give(2, d_candidate);
      store(d_sum, dz, count);
      store(d_sum + width, dr, count);
      store(d_sum + 2 * width, d_candidate * r, count);
      store(d_hidden + u, dh * z, count);
    } else {
      const Vector<T> i = kept(0), f = kept(1), g = kept(2), o = kept(3);
      const Vector<T> squashed = with.value(load(a.states + at.place * width + u, count));
      const Vector<T> d_o = dh * squashed * with.gate_slope(o);
      Vector<T> dc = load(d_cell + u, count) + dh * o * with.value_slope(squashed);
      if (a.peephole) dc += d_o * load(a.peephole + 2 * width + u, count);
      const Vector<T> d_i = dc * g * with.gate_slope(i);
      const Vector<T> d_f = dc * load(at.cell + u, count) * with.gate_slope(f);
      give(0, d_i);
      give(1, d_f);
      give(2, dc * i * with.value_slope(g));
      give(3, d_o);
      dc = dc * f;
      if (a.peephole) dc += d_i * load(a.peephole + u, count) + d_f * load(a.peephole + width + u, count);
      store(d_cell + u, dc, count);
      store(d_hidden + u, Vector<T>{}, count);
    }
  });
}

template <typename T>
const T* dropout_of(const Recurrence<T>& a, int64_t t, int64_t row) {
  return a.dropout + ((a.dropout_steps == 1 ? 0 : t) * a.rows + row) * a.units;
}

template <typename T, Cell kCell, bool kUsual>
void forward_cell(const Recurrence<T>& a, const T* packed, const int32_t* rows, int64_t count) {
  const int64_t width = a.units, columns = gates_of(kCell) * width;
  std::vector<At<T>> real(count);
  std::vector<const T*> left(count), hidden(count), cell(count);
  std::vector<T> sums(count * columns), dropped(a.dropout ? count * width : 0);
  for (int64_t n = 0; n < count; ++n) {
    hidden[n] = a.hidden_start + rows[n] * width;
    if (kCell == kLstm) cell[n] = a.cell_start + rows[n] * width;
  }
  for (int64_t s = 0; s < a.steps; ++s) {
    const int64_t t = a.reverse ? a.steps - 1 - s : s;
    int64_t found = 0;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t place = t * a.rows + rows[n];
      if (a.mask && !a.mask[place]) {
        std::copy_n(hidden[n], width, a.hidden + place * width);
        if (kCell == kLstm) std::copy_n(cell[n], width, a.states + place * width);
        if (kCell != kSimpleRnn && !a.packed) std::fill_n(a.trace + place * 4 * width, 4 * width, T(0));
        continue;
      }
      left[found] = hidden[n];
      if (a.dropout) {
        const T* factors = dropout_of(a, t, rows[n]);
        T* to = dropped.data() + n * width;
        for (int64_t u = 0; u < width; ++u) to[u] = hidden[n][u] * factors[u];
        left[found] = to;
      }
      real[found++] = {place, a.packed ? a.packed[place] : place, hidden[n], cell[n]};
    }
    product(left.data(), found, width, packed, columns, sums.data());
    for (int64_t n = 0; n < found; ++n) step_forward<T, kCell, kUsual>(a, real[n], sums.data() + n * columns);
    for (int64_t n = 0; n < count; ++n) {
      const int64_t place = (t * a.rows + rows[n]) * width;
      hidden[n] = a.hidden + place;
      if (kCell == kLstm) cell[n] = a.states + place;
    }
  }
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(hidden[n], width, a.hidden_end + rows[n] * width);
    if (kCell == kLstm) std::copy_n(cell[n], width, a.cell_end + rows[n] * width);
  }
}

template <typename T, Cell kCell, bool kUsual>
void backward_cell(const Recurrence<T>& a, const T* packed, const int32_t* rows, int64_t count) {
  const int64_t width = a.units, depth = gates_of(kCell) * width;
  T* const in_sums = kCell == kGru ? a.d_recurrent : a.d_inputs;
  std::vector<T> d_hidden(count * width), d_cell(kCell == kLstm ? count * width : 0), through(count * width);
  std::vector<const T*> left(count);
  std::vector<int64_t> real(count);
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(a.d_hidden_end + rows[n] * width, width, d_hidden.data() + n * width);
    if (kCell == kLstm) std::copy_n(a.d_cell_end + rows[n] * width, width, d_cell.data() + n * width);
  }
  for (int64_t s = 0; s < a.steps; ++s) {
    const int64_t t = a.reverse ? s : a.steps - 1 - s;
    const bool first = s == a.steps - 1;
    const int64_t before = t + (a.reverse ? 1 : -1);
    int64_t found = 0;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t place = t * a.rows + rows[n], place_before = (before * a.rows + rows[n]) * width;
      T* after = d_hidden.data() + n * width;
      if (a.mask && !a.mask[place]) {
        for (int64_t u = 0; u < width; ++u) after[u] += a.d_outputs[place * width + u];
        if (a.packed) continue;
        std::fill_n(a.d_inputs + place * depth, depth, T(0));
        if (kCell == kGru) std::fill_n(a.d_recurrent + place * depth, depth, T(0));
        continue;
      }
      const int64_t packed = a.packed ? a.packed[place] : place;
      At<T> at{place, packed, first ? a.hidden_start + rows[n] * width : a.hidden + place_before, nullptr};
      if (kCell == kLstm) at.cell = first ? a.cell_start + rows[n] * width : a.states + place_before;
      step_backward<T, kCell, kUsual>(a, at, after, kCell == kLstm ? d_cell.data() + n * width : nullptr);
      left[found] = in_sums + packed * depth;
      real[found++] = n;
    }
    product(left.data(), found, depth, packed, width, through.data());
    for (int64_t n = 0; n < found; ++n) {
      T* to = d_hidden.data() + real[n] * width;
      const T* from = through.data() + n * width;
      const T* factors = a.dropout ? dropout_of(a, t, rows[real[n]]) : nullptr;
      for (int64_t u = 0; u < width; ++u) to[u] += factors ? from[u] * factors[u] : from[u];
    }
  }
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(d_hidden.data() + n * width, width, a.d_hidden_start + rows[n] * width);
    if (kCell == kLstm) std::copy_n(d_cell.data() + n * width, width, a.d_cell_start + rows[n] * width);
  }
}

// Calls run(cell, usual) with constants: what is compiled for this cell, and for these activations.
template <typename T, typename Run>
void with_constants(const Recurrence<T>& a, const Run& run) {
  const bool usual = a.activation == kTanh && (a.cell == kSimpleRnn || a.gate_activation == kSigmoid);
  const auto of_cell = [&](auto cell) {
    if (usual) return run(cell, std::true_type());
    run(cell, std::false_type());
  };
  switch (a.cell) {
    case kSimpleRnn: return of_cell(std::integral_constant<Cell, kSimpleRnn>());
    case kGru: return of_cell(std::integral_constant<Cell, kGru>());
    default: return of_cell(std::integral_constant<Cell, kLstm>());
  }
}

template <typename T>
int64_t forward_size(const Recurrence<T>& a) {
  return packed_size<T>(a.units, gates_of(a.cell) * a.units);
}

template <typename T>
void forward_pack(const Recurrence<T>& a, T* to) {
  const int64_t columns = gates_of(a.cell) * a.units;
  pack(a.kernel, a.units, columns, columns, 1, to);
}

template <typename T>
void forward(const Recurrence<T>& a, const T* packed, const int32_t* rows, int64_t count) {
  with_constants(a, [&](auto cell, auto usual) {
    forward_cell<T, decltype(cell)::value, decltype(usual)::value>(a, packed, rows, count);
  });
}

template <typename T>
int64_t backward_size(const Recurrence<T>& a) {
  return packed_size<T>(gates_of(a.cell) * a.units, a.units);
}

// The transposed kernel.
template <typename T>
void backward_pack(const Recurrence<T>& a, T* to) {
  const int64_t depth = gates_of(a.cell) * a.units;
  pack(a.kernel, depth, a.units, 1, depth, to);
}

template <typename T>
void backward(const Recurrence<T>& a, const T* packed, const int32_t* rows, int64_t count) {
  with_constants(a, [&](auto cell, auto usual) {
    backward_cell<T, decltype(cell)::value, decltype(usual)::value>(a, packed, rows, count);
  });
}

}  // namespace
}  // namespace seqtag
