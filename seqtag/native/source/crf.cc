#include "crf.h"

#include <algorithm>

#include "pool.h"
#include "variants.h"

namespace seqtag {
namespace {

// Fewer rows would cost more to hand out than to compute.
constexpr int64_t kLeastRows = 4;

template <typename T>
void run(const Chain<T>& a, RowPass<T> pass) {
  const int64_t shares = std::max<int64_t>(1, std::min<int64_t>(2 * threads(), a.rows / kLeastRows));
  in_parallel(shares, [&](int64_t n) { pass(a, a.rows * n / shares, a.rows * (n + 1) / shares); });
}

}  // namespace

template <typename T>
void run_expectations(const Chain<T>& a) {
  run(a, kernels<T>().expectations);
}

template <typename T>
void run_best_path(const Chain<T>& a) {
  run(a, kernels<T>().best_path);
}

template void run_expectations(const Chain<float>&);
template void run_expectations(const Chain<double>&);
template void run_best_path(const Chain<float>&);
template void run_best_path(const Chain<double>&);

}  // namespace seqtag
