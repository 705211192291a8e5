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

typedef int32_t Integers __attribute__((vector_size(SEQTAG_VECTOR_BYTES)));

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

// exp to 2 units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, and n added to the exponent.
// Numbers beyond those whose exponential float32 holds are taken as the last one that it does.
inline Vector<float> exponential(Vector<float> x) {
  typedef Vector<float> V;
  const V highest = V{} + 88.0f, lowest = V{} - 87.0f;
  x = x < lowest ? lowest : x;  // NaN compares as false and passes
  x = x > highest ? highest : x;
  const V magic = V{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const V n = (x * 1.44269504088896341f + magic) - magic;
  V r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  V p = V{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Integers bits = (__builtin_convertvector(n, Integers) + 127) << 23;
  V scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return p * scale;
}

inline Vector<float> sigmoid(Vector<float> x) { return 1.0f / (1.0f + exponential(-x)); }

// Near 0 an odd polynomial, whose relative error stays small there.
inline Vector<float> tanh(Vector<float> x) {
  typedef Vector<float> V;
  const V size = x < 0.0f ? -x : x;
  const V far = 1.0f - 2.0f / (exponential(2.0f * size) + 1.0f);
  const V square = x * x;
  V p = V{} - 5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const V near = x + x * square * p;
  return size < 0.625f ? near : (x < 0.0f ? -far : far);
}

// float64 is there for checks of gradients: the C library's functions, number by number.
template <typename F>
inline Vector<double> each(Vector<double> x, F function) {
  Vector<double> found = {};
  for (int n = 0; n < Lanes<double>::count; ++n) found[n] = function(x[n]);
  return found;
}
inline Vector<double> sigmoid(Vector<double> x) {
  return each(x, [](double v) { return 1.0 / (1.0 + std::exp(-v)); });
}
inline Vector<double> tanh(Vector<double> x) {
  return each(x, [](double v) { return std::tanh(v); });
}

}  // namespace
}  // namespace seqtag
