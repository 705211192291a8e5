#include "recurrence.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "pool.h"
#include "variants.h"

namespace seqtag {
namespace {

// A share with fewer rows would read a panel for too few products.
constexpr int64_t kLeastRows = 6;
// Shares of about this many rows let threads that end early help others.
constexpr int64_t kMostRows = 32;

// Rows in shares whose real steps are alike in number: longest first, dealt out to and fro.
template <typename T>
std::vector<std::vector<int32_t>> shares_of(const Recurrence<T>& a) {
  const int64_t most = std::max<int64_t>(1, a.rows / kLeastRows);
  const int64_t wanted = std::max<int64_t>(threads(), (a.rows + kMostRows - 1) / kMostRows);
  std::vector<std::vector<int32_t>> shares(std::min(most, wanted));
  std::vector<int32_t> order(a.rows);
  std::iota(order.begin(), order.end(), 0);
  if (a.mask) {
    std::vector<int64_t> real(a.rows);
    for (int64_t t = 0; t < a.steps; ++t)
      for (int64_t row = 0; row < a.rows; ++row) real[row] += a.mask[t * a.rows + row];
    std::stable_sort(order.begin(), order.end(), [&](int32_t one, int32_t other) { return real[one] > real[other]; });
  }
  const int64_t count = shares.size();
  for (int64_t n = 0; n < a.rows; ++n) {
    const int64_t turn = n / count, place = n % count;
    shares[turn % 2 ? count - 1 - place : place].push_back(order[n]);
  }
  return shares;
}

template <typename T, typename Pack, typename Run>
void run(const Recurrence<T>& a, int64_t size, Pack pack, Run pass) {
  if (!a.rows) return;
  // Kept by each thread, since memory that is new each time would have to be handed out by the system.
  static thread_local std::vector<T> panels;
  panels.resize(size);
  pack(a, panels.data());
  const auto shares = shares_of(a);
  const T* packed = panels.data();
  in_parallel(shares.size(), [&](int64_t n) { pass(a, packed, shares[n].data(), shares[n].size()); });
}

}  // namespace

template <typename T>
void run_forward(const Recurrence<T>& a) {
  const Passes<T>& with = kernels<T>().recurrence;
  run(a, with.forward_size(a), with.forward_pack, with.forward);
}

template <typename T>
void run_backward(const Recurrence<T>& a) {
  const Passes<T>& with = kernels<T>().recurrence;
  run(a, with.backward_size(a), with.backward_pack, with.backward);
}

template void run_forward(const Recurrence<float>&);
template void run_forward(const Recurrence<double>&);
template void run_backward(const Recurrence<float>&);
template void run_backward(const Recurrence<double>&);

}  // namespace seqtag
