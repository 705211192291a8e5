// Vectors of numbers as GCC and Clang know them, and the functions of them that gates need.
//
// A file that includes this is compiled once for each instruction set; SEQTAG_VECTOR_BYTES is the width of its registers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace seqtag {
namespace {

template <typename T>
struct Lanes {
  static constexpr int count = SEQTAG_VECTOR_BYTES / sizeof(T);
  typedef T vector __attribute__((vector_size(SEQTAG_VECTOR_BYTES)));
};

template <typename T>
using Vector = typename Lanes<T>::vector;

template <typename T>
inline Vector<T> load(const T* from) {
  Vector<T> found;
  std::memcpy(&found, from, sizeof(found));
  return found;
}

// The first `count` numbers; zeros after them.
template <typename T>
inline Vector<T> load(const T* from, int count) {
  if (count >= Lanes<T>::count) return load(from);
  Vector<T> found = {};
  std::memcpy(&found, from, count * sizeof(T));
  return found;
}

template <typename T>
inline void store(T* to, Vector<T> values, int count) {
  if (count >= Lanes<T>::count) {
    std::memcpy(to, &values, sizeof(values));
  } else {
    std::memcpy(to, &values, count * sizeof(T));
  }
}

// x P(x^2) / Q(x^2), fitted to tanh over |x| <= 7.9, beyond which float32 has almost no number left below 1: within 3.2e-7
// of the value itself, also near 0, and never beyond 1. NaN passes, since it compares as false.
inline Vector<float> tanh(Vector<float> x) {
  typedef Vector<float> V;
  const V end = V{} + 7.9f;
  x = x < -end ? -end : x;
  x = x > end ? end : x;
  const V square = x * x;
  V p = square * 2.410585447e-11f - 1.490652757e-8f;
  p = p * square + 9.939290067e-6f;
  p = p * square + 2.992109163e-3f;
  p = p * square + 1.298492104e-1f;
  p = p * square + 1.0f;
  V q = square * 2.380884544e-4f + 2.405314334e-2f;
  q = q * square + 4.631823897e-1f;
  q = q * square + 1.0f;
  return x * p / q;
}

inline Vector<float> sigmoid(Vector<float> x) { return 0.5f + 0.5f * tanh(0.5f * x); }

typedef int32_t Integers __attribute__((vector_size(SEQTAG_VECTOR_BYTES)));

// exp to 2 units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, the series of exp in r, and n added to the exponent.
// Below -87 it is 0, above 88 what it is there. NaN passes.
inline Vector<float> exponential(Vector<float> x) {
  typedef Vector<float> V;
  const V lowest = V{} - 87.0f, highest = V{} + 88.0f;
  const auto vanishes = x < lowest;
  x = vanishes ? lowest : x;
  x = x > highest ? highest : x;
  const V magic = V{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const V n = (x * 1.44269504088896341f + magic) - magic;
  V r = x - n * 0.693145751953125f;  // ln 2 in two parts, the first of few digits, so that the product is exact
  r = r - n * 1.42860682030941723e-6f;
  V p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  // NaN has no integer; its bits do not matter.
  const Integers bits = (__builtin_convertvector(n, Integers) + 127) << 23;
  V scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return vanishes ? V{} : p * scale;
}

// float64 is there for checks of gradients: the C library's functions, number by number.
template <typename F>
inline Vector<double> each(Vector<double> x, F function) {
  Vector<double> found = {};
  for (int n = 0; n < Lanes<double>::count; ++n) found[n] = function(x[n]);
  return found;
}
inline Vector<double> exponential(Vector<double> x) {
  return each(x, [](double v) { return std::exp(v); });
}
inline Vector<double> sigmoid(Vector<double> x) {
  return each(x, [](double v) { return 1.0 / (1.0 + std::exp(-v)); });
}
inline Vector<double> tanh(Vector<double> x) {
  return each(x, [](double v) { return std::tanh(v); });
}

}  // namespace
}  // namespace seqtag
