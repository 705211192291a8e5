// The passes of a recurrence for one instruction set; compiled once for each, see SEQTAG_VARIANT.
//
// The recurrent product of a step is computed panel by panel: a panel holds what some units need of the kernel, packed in
// the order of its use, stays in the cache while all rows of a share go over it, and its sums stay in registers until the
// gates of those units are done. Masked rows of a step are left out, so that padding costs a copy and no product.

#include <algorithm>
#include <vector>

#include "recurrence.h"
#include "variants.h"
#include "vector.h"

namespace seqtag {
namespace {

// Sums that fit into the registers beside what they are made of: 16 registers of AVX2, 32 of AVX-512.
constexpr int kSums = SEQTAG_VECTOR_BYTES == 64 ? 24 : 12;
// Of the backward pass: vectors of a panel.
constexpr int kWide = 2;

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

// sums[r][n] += left[r] · (column n of the panel), for R rows and N vectors of columns.
template <typename T, int R, int N>
inline void multiply(const T* const* left, int64_t depth, const T* panel, Vector<T> (&sums)[R][N]) {
  Vector<T> kept[R][N];
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < N; ++n) kept[r][n] = sums[r][n];
  for (int64_t k = 0; k < depth; ++k, panel += N * Lanes<T>::count) {
    Vector<T> right[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) right[n] = load(panel + n * Lanes<T>::count);
#pragma GCC unroll 24
    for (int r = 0; r < R; ++r) {
      const Vector<T> factor = Vector<T>{} + left[r][k];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) kept[r][n] += factor * right[n];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < N; ++n) sums[r][n] = kept[r][n];
}

// Calls block<R>(first) over `count` rows: as many at once as fit, then what is left.
template <int R, typename Block>
inline void in_blocks(int64_t first, int64_t count, const Block& block) {
  while (count - first >= R) {
    block.template run<R>(first);
    first += R;
  }
  if constexpr (R > 1) {
    if (first < count) in_blocks<R / 2>(first, count, block);
  }
}

template <typename T>
int64_t panels_of(const Recurrence<T>& a, int vectors) {
  const int64_t width = vectors * Lanes<T>::count;
  return (a.units + width - 1) / width;
}

template <typename T>
int64_t forward_size(const Recurrence<T>& a) {
  return panels_of(a, 1) * a.units * gates_of(a.cell) * Lanes<T>::count;
}

// Panel after panel of a vector of units: for each unit before, its weights to every gate of these units.
template <typename T>
void forward_pack(const Recurrence<T>& a, T* to) {
  const int gates = gates_of(a.cell), lanes = Lanes<T>::count;
  for (int64_t unit = 0; unit < a.units; unit += lanes) {
    const int count = int(std::min<int64_t>(lanes, a.units - unit));
    for (int64_t k = 0; k < a.units; ++k)
      for (int gate = 0; gate < gates; ++gate, to += lanes)
        store(to, load(a.kernel + (k * gates + gate) * a.units + unit, count), lanes);
  }
}

template <typename T>
int64_t backward_size(const Recurrence<T>& a) {
  return panels_of(a, kWide) * a.units * gates_of(a.cell) * kWide * Lanes<T>::count;
}

// Panel after panel of units before: for each gate of each unit, its weights from these.
template <typename T>
void backward_pack(const Recurrence<T>& a, T* to) {
  const int64_t depth = a.units * gates_of(a.cell), width = kWide * Lanes<T>::count;
  for (int64_t unit = 0; unit < a.units; unit += width)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t n = 0; n < width; ++n) *to++ = unit + n < a.units ? a.kernel[(unit + n) * depth + k] : T(0);
}

// What a row needs of the step at hand.
template <typename T>
struct At {
  int64_t place;  // of the row in a tensor (steps, rows, ...), in rows
  const T* hidden;  // before the step
  const T* cell;
};

template <typename T, Cell kCell>
struct ForwardStep {
  static constexpr int kGates = kCell == kSimpleRnn ? 1 : kCell == kGru ? 3 : 4;
  const Recurrence<T>& a;
  const T* panel;
  int64_t unit;
  int count;  // units of this panel
  const At<T>* active;
  const T* const* left;  // hidden states as they enter the product

  template <int R>
  void run(int64_t first) const {
    Vector<T> sums[R][kGates] = {};
    multiply<T, R, kGates>(left + first, a.units, panel, sums);
    for (int r = 0; r < R; ++r) finish(active[first + r], sums[r]);
  }

  Vector<T> of_row(const T* from, int64_t place, int gate, int gates) const {
    return load(from + (place * gates + gate) * a.units + unit, count);
  }

  void finish(const At<T>& at, const Vector<T> (&sums)[kGates]) const {
    Vector<T> x[kGates];
    for (int gate = 0; gate < kGates; ++gate) x[gate] = of_row(a.inputs, at.place, gate, kGates) + sums[gate];
    T* hidden = a.hidden + at.place * a.units + unit;
    T* trace = a.trace + at.place * 4 * a.units + unit;
    if constexpr (kCell == kSimpleRnn) {
      store(hidden, activated<T>(a.activation, x[0]), count);
    } else if constexpr (kCell == kGru) {
      Vector<T> z = x[0], r = x[1], term = sums[2];
      if (a.bias) {
        z += load(a.bias + unit, count);
        r += load(a.bias + a.units + unit, count);
        term += load(a.bias + 2 * a.units + unit, count);
      }
      z = activated<T>(a.gate_activation, z);
      r = activated<T>(a.gate_activation, r);
      const Vector<T> input = of_row(a.inputs, at.place, 2, 3);
      const Vector<T> candidate = activated<T>(a.activation, input + r * term);
      store(hidden, z * load(at.hidden + unit, count) + (T(1) - z) * candidate, count);
      keep(trace, {z, r, candidate, term});
    } else {
      const Vector<T> before = load(at.cell + unit, count);
      Vector<T> i = x[0], f = x[1], o = x[3];
      if (a.peephole) {
        i += before * load(a.peephole + unit, count);
        f += before * load(a.peephole + a.units + unit, count);
      }
      i = activated<T>(a.gate_activation, i);
      f = activated<T>(a.gate_activation, f);
      const Vector<T> g = activated<T>(a.activation, x[2]);
      const Vector<T> cell = f * before + i * g;
      if (a.peephole) o += cell * load(a.peephole + 2 * a.units + unit, count);
      o = activated<T>(a.gate_activation, o);
      store(hidden, o * activated<T>(a.activation, cell), count);
      store(a.states + at.place * a.units + unit, cell, count);
      keep(trace, {i, f, g, o});
    }
  }

  void keep(T* trace, const Vector<T> (&values)[4]) const {
    for (int n = 0; n < 4; ++n) store(trace + n * a.units, values[n], count);
  }
};

template <typename T, Cell kCell>
void forward_cell(const Recurrence<T>& a, const T* panels, const int32_t* rows, int64_t count) {
  constexpr int kGates = ForwardStep<T, kCell>::kGates, lanes = Lanes<T>::count;
  const int64_t width = a.units;
  std::vector<At<T>> active(count);
  std::vector<const T*> left(count), hidden(count), cell(count);
  std::vector<T> dropped(a.dropout ? count * width : 0);
  for (int64_t n = 0; n < count; ++n) {
    hidden[n] = a.hidden_start + rows[n] * width;
    if (kCell == kLstm) cell[n] = a.cell_start + rows[n] * width;
  }
  for (int64_t s = 0; s < a.steps; ++s) {
    const int64_t t = a.reverse ? a.steps - 1 - s : s;
    int64_t real = 0;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t place = t * a.rows + rows[n];
      if (a.mask && !a.mask[place]) {
        std::copy_n(hidden[n], width, a.hidden + place * width);
        if (kCell == kLstm) std::copy_n(cell[n], width, a.states + place * width);
        if (kCell != kSimpleRnn) std::fill_n(a.trace + place * 4 * width, 4 * width, T(0));
        continue;
      }
      left[real] = hidden[n];
      if (a.dropout) {
        const T* factors = a.dropout + ((a.dropout_steps == 1 ? 0 : t) * a.rows + rows[n]) * width;
        T* product = dropped.data() + n * width;
        for (int64_t u = 0; u < width; ++u) product[u] = hidden[n][u] * factors[u];
        left[real] = product;
      }
      active[real++] = {place, hidden[n], cell[n]};
    }
    const T* panel = panels;
    for (int64_t unit = 0; unit < width; unit += lanes, panel += width * kGates * lanes) {
      const int units = int(std::min<int64_t>(lanes, width - unit));
      in_blocks<kSums / kGates>(0, real, ForwardStep<T, kCell>{a, panel, unit, units, active.data(), left.data()});
    }
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

template <typename T>
void forward(const Recurrence<T>& a, const T* panels, const int32_t* rows, int64_t count) {
  switch (a.cell) {
    case kSimpleRnn: return forward_cell<T, kSimpleRnn>(a, panels, rows, count);
    case kGru: return forward_cell<T, kGru>(a, panels, rows, count);
    default: return forward_cell<T, kLstm>(a, panels, rows, count);
  }
}

// The product of a step's gradients with the transposed kernel, added to the gradients of the states before it.
template <typename T>
struct BackwardStep {
  const Recurrence<T>& a;
  const T* panel;
  int64_t unit;
  int64_t depth;
  const T* const* left;     // gradients in the sums of the gates
  T* const* d_hidden;       // of the states before
  const T* const* dropout;  // of their rows, or null

  template <int R>
  void run(int64_t first) const {
    Vector<T> sums[R][kWide] = {};
    multiply<T, R, kWide>(left + first, depth, panel, sums);
    for (int r = 0; r < R; ++r)
      for (int n = 0; n < kWide; ++n) {
        const int64_t from = unit + n * Lanes<T>::count;
        const int count = int(std::min<int64_t>(Lanes<T>::count, a.units - from));
        if (count <= 0) break;
        T* to = d_hidden[first + r] + from;
        const Vector<T> sum = a.dropout ? sums[r][n] * load(dropout[first + r] + from, count) : sums[r][n];
        store(to, load(to, count) + sum, count);
      }
  }
};

// From the gradients after a step of a row to those in its sums; leaves in `d_hidden` what reaches the state before
// without the recurrent product.
template <typename T, Cell kCell>
inline void through_gates(const Recurrence<T>& a, const At<T>& at, T* d_hidden, T* d_cell) {
  const int64_t width = a.units;
  const T* d_output = a.d_outputs + at.place * width;
  const T* hidden = a.hidden + at.place * width;
  const T* trace = a.trace + at.place * 4 * width;
  for (int64_t u = 0; u < width; u += Lanes<T>::count) {
    const int count = int(std::min<int64_t>(Lanes<T>::count, width - u));
    const Vector<T> dh = load(d_hidden + u, count) + load(d_output + u, count);
    if constexpr (kCell == kSimpleRnn) {
      store(a.d_inputs + at.place * width + u, dh * slope<T>(a.activation, load(hidden + u, count)), count);
      store(d_hidden + u, Vector<T>{}, count);
    } else if constexpr (kCell == kGru) {
      const Vector<T> z = load(trace + u, count), r = load(trace + width + u, count);
      const Vector<T> candidate = load(trace + 2 * width + u, count), term = load(trace + 3 * width + u, count);
      const Vector<T> before = load(at.hidden + u, count);
      const Vector<T> d_candidate = dh * (T(1) - z) * slope<T>(a.activation, candidate);
      const Vector<T> dz = dh * (before - candidate) * slope<T>(a.gate_activation, z);
      const Vector<T> dr = d_candidate * term * slope<T>(a.gate_activation, r);
      T* inputs = a.d_inputs + at.place * 3 * width + u;
      T* recurrent = a.d_recurrent + at.place * 3 * width + u;
      store(inputs, dz, count);
      store(recurrent, dz, count);
      store(inputs + width, dr, count);
      store(recurrent + width, dr, count);
      store(inputs + 2 * width, d_candidate, count);
      store(recurrent + 2 * width, d_candidate * r, count);
      store(d_hidden + u, dh * z, count);
    } else {
      const Vector<T> i = load(trace + u, count), f = load(trace + width + u, count);
      const Vector<T> g = load(trace + 2 * width + u, count), o = load(trace + 3 * width + u, count);
      const Vector<T> before = load(at.cell + u, count);
      const Vector<T> squashed = activated<T>(a.activation, load(a.states + at.place * width + u, count));
      const Vector<T> d_o = dh * squashed * slope<T>(a.gate_activation, o);
      Vector<T> dc = load(d_cell + u, count) + dh * o * slope<T>(a.activation, squashed);
      if (a.peephole) dc += d_o * load(a.peephole + 2 * width + u, count);
      const Vector<T> d_i = dc * g * slope<T>(a.gate_activation, i);
      const Vector<T> d_f = dc * before * slope<T>(a.gate_activation, f);
      T* inputs = a.d_inputs + at.place * 4 * width + u;
      store(inputs, d_i, count);
      store(inputs + width, d_f, count);
      store(inputs + 2 * width, dc * i * slope<T>(a.activation, g), count);
      store(inputs + 3 * width, d_o, count);
      dc = dc * f;
      if (a.peephole)
        dc += d_i * load(a.peephole + u, count) + d_f * load(a.peephole + width + u, count);
      store(d_cell + u, dc, count);
      store(d_hidden + u, Vector<T>{}, count);
    }
  }
}

template <typename T, Cell kCell>
void backward_cell(const Recurrence<T>& a, const T* panels, const int32_t* rows, int64_t count) {
  constexpr int kGates = ForwardStep<T, kCell>::kGates;
  const int64_t width = a.units, depth = kGates * width;
  T* const sums = kCell == kGru ? a.d_recurrent : a.d_inputs;
  std::vector<T> d_hidden(count * width), d_cell(kCell == kLstm ? count * width : 0);
  std::vector<const T*> left(count), dropout(count);
  std::vector<T*> into(count);
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(a.d_hidden_end + rows[n] * width, width, d_hidden.data() + n * width);
    if (kCell == kLstm) std::copy_n(a.d_cell_end + rows[n] * width, width, d_cell.data() + n * width);
  }
  for (int64_t s = 0; s < a.steps; ++s) {
    const int64_t t = a.reverse ? s : a.steps - 1 - s;
    const bool first = s == a.steps - 1;
    const int64_t before = t + (a.reverse ? 1 : -1);
    int64_t real = 0;
    for (int64_t n = 0; n < count; ++n) {
      const int64_t place = t * a.rows + rows[n];
      T* after = d_hidden.data() + n * width;
      if (a.mask && !a.mask[place]) {
        for (int64_t u = 0; u < width; ++u) after[u] += a.d_outputs[place * width + u];
        std::fill_n(a.d_inputs + place * depth, depth, T(0));
        if (kCell == kGru) std::fill_n(a.d_recurrent + place * depth, depth, T(0));
        continue;
      }
      const int64_t row_before = (before * a.rows + rows[n]) * width;
      At<T> at{place, first ? a.hidden_start + rows[n] * width : a.hidden + row_before, nullptr};
      if (kCell == kLstm) at.cell = first ? a.cell_start + rows[n] * width : a.states + row_before;
      through_gates<T, kCell>(a, at, after, kCell == kLstm ? d_cell.data() + n * width : nullptr);
      left[real] = sums + place * depth;
      if (a.dropout) dropout[real] = a.dropout + ((a.dropout_steps == 1 ? 0 : t) * a.rows + rows[n]) * width;
      into[real++] = after;
    }
    const T* panel = panels;
    const int64_t wide = kWide * Lanes<T>::count;
    for (int64_t unit = 0; unit < width; unit += wide, panel += depth * wide)
      in_blocks<kSums / kWide>(0, real, BackwardStep<T>{a, panel, unit, depth, left.data(), into.data(), dropout.data()});
  }
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(d_hidden.data() + n * width, width, a.d_hidden_start + rows[n] * width);
    if (kCell == kLstm) std::copy_n(d_cell.data() + n * width, width, a.d_cell_start + rows[n] * width);
  }
}

template <typename T>
void backward(const Recurrence<T>& a, const T* panels, const int32_t* rows, int64_t count) {
  switch (a.cell) {
    case kSimpleRnn: return backward_cell<T, kSimpleRnn>(a, panels, rows, count);
    case kGru: return backward_cell<T, kGru>(a, panels, rows, count);
    default: return backward_cell<T, kLstm>(a, panels, rows, count);
  }
}

template <typename T>
constexpr Passes<T> passes = {forward_size<T>, forward_pack<T>, forward<T>, backward_size<T>, backward_pack<T>, backward<T>};

}  // namespace

const Variant SEQTAG_VARIANT = {passes<float>, passes<double>};

}  // namespace seqtag
