// Products of a few rows with a matrix that is used again and again.
//
// The matrix is packed once into panels of columns, in the order of their use. A panel stays in the cache while all rows go
// over it, and its sums stay in registers. What a row gets does not depend on the rows beside it, to the last bit.
#pragma once

#include <algorithm>

#include "vector.h"

namespace seqtag {
namespace {

// Vectors of a panel, and rows at once: as many sums as there are registers for, beside what they are made of.
constexpr int kWide = 2;
constexpr int kRows = SEQTAG_VECTOR_BYTES == 64 ? 12 : 6;

template <typename T>
constexpr int64_t kPanel = kWide * Lanes<T>::count;

template <typename T>
int64_t packed_size(int64_t depth, int64_t columns) {
  return (columns + kPanel<T> - 1) / kPanel<T> * kPanel<T> * depth;
}

// Packs `depth` rows of `columns` numbers; the number of row k and column n stands at k * row_stride + n * column_stride.
template <typename T>
void pack(const T* from, int64_t depth, int64_t columns, int64_t row_stride, int64_t column_stride, T* to) {
  for (int64_t first = 0; first < columns; first += kPanel<T>)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t n = first; n < first + kPanel<T>; ++n)
        *to++ = n < columns ? from[k * row_stride + n * column_stride] : T(0);
}

template <typename T, int R>
inline void block(const T* const* left, int64_t depth, const T* panel, T* out, int64_t stride, int64_t columns) {
  Vector<T> sums[R][kWide] = {};
  for (int64_t k = 0; k < depth; ++k, panel += kPanel<T>) {
    Vector<T> right[kWide];
    for (int n = 0; n < kWide; ++n) right[n] = load(panel + n * Lanes<T>::count);
#pragma GCC unroll 12
    for (int r = 0; r < R; ++r) {
      const T factor = left[r][k];
      for (int n = 0; n < kWide; ++n) sums[r][n] += factor * right[n];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < kWide; ++n) {
      const int64_t there = columns - n * Lanes<T>::count;
      if (there > 0)
        store(out + r * stride + n * Lanes<T>::count, sums[r][n], int(std::min<int64_t>(there, Lanes<T>::count)));
    }
}

template <typename T, int R = kRows>
inline void blocks(const T* const* left, int64_t count, int64_t depth, const T* panel, T* out, int64_t stride,
                   int64_t columns) {
  for (; count >= R; count -= R, left += R, out += R * stride) block<T, R>(left, depth, panel, out, stride, columns);
  if constexpr (R > 1) {
    if (count) blocks<T, R / 2>(left, count, depth, panel, out, stride, columns);
  }
}

// out[r] = left[r] · matrix for `count` rows of `depth` numbers; `out` has rows of `columns`.
template <typename T>
void product(const T* const* left, int64_t count, int64_t depth, const T* packed, int64_t columns, T* out) {
  for (int64_t n = 0; n < columns; n += kPanel<T>, packed += depth * kPanel<T>)
    blocks<T>(left, count, depth, packed, out + n, columns, columns - n);
}

}  // namespace
}  // namespace seqtag
