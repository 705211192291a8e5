// The rows of a CRF for one instruction set.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "crf.h"
#include "vector.h"

namespace seqtag {
namespace {

constexpr double kImpossible = -1e30;

// What the largest term of a step, relative to the sum before, and a sum over the paths must reach. A term that vanished,
// below 1e-38, was below 1e-24 of the largest one of its step, which is no part of a sum of 1e-14 that a float32 holds.
template <typename T>
constexpr T kEnough = sizeof(T) == sizeof(float) ? T(1e-14) : T(1e-140);

template <typename T>
T clipped(T score) {
  return score < T(kImpossible) ? T(kImpossible) : score;  // NaN passes
}

// The largest of the scores; 0 where all are impossible.
template <typename T>
T top_of(const T* scores, int64_t count) {
  T top = scores[0];
  for (int64_t n = 1; n < count; ++n) top = scores[n] > top ? scores[n] : top;
  return top > T(kImpossible) ? top : T(0);
}

// The steps of a row that are real, in their order.
template <typename T>
void real_steps(const Chain<T>& a, int64_t row, std::vector<int64_t>& to) {
  to.clear();
  for (int64_t t = 0; t < a.steps; ++t)
    if (a.mask[row * a.steps + t]) to.push_back(t);
}

// The tags of a row in whole vectors: those that there are not have weights of 0.
template <typename T>
class Expectations {
 public:
  explicit Expectations(const Chain<T>& a)
      : a_(a), tags_(a.tags), width_((a.tags + kLanes - 1) / kLanes * kLanes),
        moves_(tags_ * width_), back_(tags_ * width_), start_(width_), end_(width_),
        weights_(a.steps * width_), forward_(a.steps * width_), before_(width_), after_(width_), backward_(width_),
        counts_(tags_ * width_), scales_(a.steps) {
    move_top_ = top_of(a.transitions, tags_ * tags_);
    for (int64_t i = 0; i < tags_; ++i)
      for (int64_t j = 0; j < tags_; ++j)
        moves_[i * width_ + j] = back_[j * width_ + i] = std::exp(a.transitions[i * tags_ + j] - move_top_);
    start_top_ = exponentials(a.start, start_.data());
    end_top_ = exponentials(a.end, end_.data());
  }

  void run(int64_t row) {
    real_steps(a_, row, real_);
    std::fill_n(a_.marginals + row * a_.steps * tags_, a_.steps * tags_, T(0));
    std::fill_n(a_.first + row * tags_, tags_, T(0));
    std::fill_n(a_.last + row * tags_, tags_, T(0));
    std::fill_n(a_.moves + row * tags_ * tags_, tags_ * tags_, T(0));
    a_.log_partition[row] = 0;
    if (real_.empty()) return;
    if (!by_products(row)) by_log_sums(row);
    std::copy_n(marginals(row, real_.front()), tags_, a_.first + row * tags_);
    std::copy_n(marginals(row, real_.back()), tags_, a_.last + row * tags_);
  }

 private:
  static constexpr int kLanes = Lanes<T>::count;

  T* marginals(int64_t row, int64_t t) const { return a_.marginals + (row * a_.steps + t) * tags_; }

  // exp(scores - top), and the top.
  T exponentials(const T* scores, T* to) const {
    const T top = top_of(scores, tags_);
    for (int64_t n = 0; n < tags_; n += kLanes) {
      const int count = int(std::min<int64_t>(kLanes, tags_ - n));
      store(to + n, exponential(load(scores + n, count) - top), count);
    }
    return top;
  }

  // to = row · matrix, of `tags_` rows.
  void multiply(const T* row, const T* matrix, T* to) const {
    for (int64_t n = 0; n < width_; n += kLanes) {
      Vector<T> sum = {};
      for (int64_t i = 0; i < tags_; ++i) sum += row[i] * load(matrix + i * width_ + n);
      store(to + n, sum, kLanes);
    }
  }

  // As products of probabilities with matrices (Rabiner 1989, section V.A), each step scaled to a largest one of 1. False
  // where a sum is so small that it may lack what vanished.
  bool by_products(int64_t row) {
    const int64_t count = real_.size();
    double log_z = double(start_top_) + double(end_top_) + double(count - 1) * double(move_top_);
    before_ = start_;
    for (int64_t s = 0; s < count; ++s) {
      T *weight = weights_.data() + s * width_, *forward = forward_.data() + s * width_;
      log_z += double(exponentials(a_.emissions + (row * a_.steps + real_[s]) * tags_, weight));
      T scale = 0;
      for (int64_t n = 0; n < width_; ++n) {
        forward[n] = before_[n] * weight[n];
        scale = forward[n] > scale ? forward[n] : scale;
      }
      if (!(scale >= kEnough<T>)) return false;
      scales_[s] = scale;
      for (int64_t n = 0; n < width_; ++n) forward[n] /= scale;
      if (s + 1 < count) multiply(forward, moves_.data(), before_.data());
    }
    after_ = end_;
    std::fill(counts_.begin(), counts_.end(), T(0));
    for (int64_t s = count - 1; s >= 0; --s) {
      const T *weight = weights_.data() + s * width_, *forward = forward_.data() + s * width_;
      T norm = 0, largest = 0;
      for (int64_t n = 0; n < tags_; ++n) norm += forward[n] * after_[n];
      if (!(norm >= kEnough<T>)) return false;
      T* to = marginals(row, real_[s]);
      for (int64_t n = 0; n < tags_; ++n) to[n] = forward[n] * after_[n] / norm;
      log_z += std::log(double(scales_[s]));
      if (s == count - 1) log_z += std::log(double(norm));
      if (s == 0) break;
      for (int64_t n = 0; n < width_; ++n) {
        backward_[n] = after_[n] * weight[n];
        largest = backward_[n] > largest ? backward_[n] : largest;
      }
      if (!(largest >= kEnough<T>)) return false;
      // The paths that leave i and arrive at j here; all together they are norm * scale.
      const T* departing = forward_.data() + (s - 1) * width_;
      const T share = T(1) / (norm * scales_[s]);
      for (int64_t n = 0; n < width_; n += kLanes) {
        const Vector<T> arriving = load(backward_.data() + n) * share;
        for (int64_t i = 0; i < tags_; ++i)
          store(counts_.data() + i * width_ + n, load(counts_.data() + i * width_ + n) + departing[i] * arriving, kLanes);
      }
      for (int64_t n = 0; n < width_; ++n) backward_[n] /= largest;
      multiply(backward_.data(), back_.data(), after_.data());
    }
    for (int64_t i = 0; i < tags_; ++i)
      for (int64_t j = 0; j < tags_; ++j)
        a_.moves[(row * tags_ + i) * tags_ + j] = counts_[i * width_ + j] * moves_[i * width_ + j];
    a_.log_partition[row] = T(log_z);
    return true;
  }

  // The same in log space and float64: exact however far apart scores are.
  void by_log_sums(int64_t row) {
    const int64_t count = real_.size(), k = tags_;
    std::vector<double> before(count * k), sums(count * k), after(count * k), terms(k);
    const auto emission = [&](int64_t s, int64_t n) {
      return double(clipped(a_.emissions[(row * a_.steps + real_[s]) * k + n]));
    };
    const auto transition = [&](int64_t i, int64_t j) { return double(clipped(a_.transitions[i * k + j])); };
    for (int64_t n = 0; n < k; ++n) {
      before[n] = double(clipped(a_.start[n]));
      after[(count - 1) * k + n] = double(clipped(a_.end[n]));
    }
    for (int64_t s = 0; s < count; ++s) {
      for (int64_t n = 0; n < k; ++n) sums[s * k + n] = before[s * k + n] + emission(s, n);
      for (int64_t j = 0; s + 1 < count && j < k; ++j) {
        for (int64_t i = 0; i < k; ++i) terms[i] = sums[s * k + i] + transition(i, j);
        before[(s + 1) * k + j] = log_sum(terms);
      }
    }
    for (int64_t s = count - 2; s >= 0; --s)
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j < k; ++j) terms[j] = transition(i, j) + emission(s + 1, j) + after[(s + 1) * k + j];
        after[s * k + i] = log_sum(terms);
      }
    for (int64_t n = 0; n < k; ++n) terms[n] = sums[(count - 1) * k + n] + after[(count - 1) * k + n];
    const double log_z = log_sum(terms);
    std::fill_n(a_.marginals + row * a_.steps * k, a_.steps * k, T(0));
    if (log_z < kImpossible / 2) {
      a_.log_partition[row] = -std::numeric_limits<T>::infinity();
      return;
    }
    a_.log_partition[row] = T(log_z);
    std::vector<double> moves(k * k);
    for (int64_t s = 0; s < count; ++s) {
      T* to = marginals(row, real_[s]);
      for (int64_t n = 0; n < k; ++n) to[n] = T(std::exp(sums[s * k + n] + after[s * k + n] - log_z));
      for (int64_t i = 0; s + 1 < count && i < k; ++i)
        for (int64_t j = 0; j < k; ++j)
          moves[i * k + j] += std::exp(sums[s * k + i] + transition(i, j) + emission(s + 1, j) +
                                       after[(s + 1) * k + j] - log_z);
    }
    for (int64_t n = 0; n < k * k; ++n) a_.moves[row * k * k + n] = T(moves[n]);
  }

  static double log_sum(const std::vector<double>& terms) {
    double top = terms[0], sum = 0;
    for (double term : terms) top = term > top ? term : top;
    for (double term : terms) sum += std::exp(term - top);
    return top + std::log(sum);
  }

  const Chain<T>& a_;
  const int64_t tags_, width_;
  std::vector<T> moves_, back_, start_, end_;  // back_: moves_ transposed
  std::vector<T> weights_, forward_, before_, after_, backward_, counts_, scales_;
  std::vector<int64_t> real_;
  T move_top_ = 0, start_top_ = 0, end_top_ = 0;
};

template <typename T>
void expectations(const Chain<T>& a, int64_t first, int64_t stop) {
  Expectations<T> of(a);
  for (int64_t row = first; row < stop; ++row) of.run(row);
}

// Of paths with equal scores the one with the lowest tag at the last step where they differ. Scores are kept relative to the
// best of their step, so that rounding does not grow with the length of a row.
template <typename T>
void best_path(const Chain<T>& a, int64_t first, int64_t stop) {
  const int64_t k = a.tags;
  std::vector<T> transitions(k * k), best(a.steps * k), before(k);
  std::vector<int64_t> real;
  for (int64_t n = 0; n < k * k; ++n) transitions[n] = clipped(a.transitions[n]);
  for (int64_t row = first; row < stop; ++row) {
    real_steps(a, row, real);
    std::fill_n(a.path + row * a.steps, a.steps, 0);
    const int64_t count = real.size();
    for (int64_t n = 0; n < k; ++n) before[n] = clipped(a.start[n]);
    for (int64_t s = 0; s < count; ++s) {
      const T* emissions = a.emissions + (row * a.steps + real[s]) * k;
      T* now = best.data() + s * k;
      for (int64_t n = 0; n < k; ++n) now[n] = before[n] + clipped(emissions[n]);
      T top = now[0];
      for (int64_t n = 1; n < k; ++n) top = now[n] > top ? now[n] : top;
      for (int64_t n = 0; n < k; ++n) now[n] -= top;
      // Row by row, so that the tags lie side by side.
      for (int64_t n = 0; n < k; ++n) before[n] = now[0] + transitions[n];
      for (int64_t i = 1; i < k; ++i)
        for (int64_t n = 0; n < k; ++n) {
          const T score = now[i] + transitions[i * k + n];
          before[n] = score > before[n] ? score : before[n];
        }
    }
    int64_t tag = 0;
    for (int64_t s = count - 1; s >= 0; --s) {
      const T* now = best.data() + s * k;
      const int64_t after = tag;
      const auto score = [&](int64_t n) {
        return now[n] + (s == count - 1 ? clipped(a.end[n]) : transitions[n * k + after]);
      };
      tag = 0;
      T highest = score(0);
      for (int64_t n = 1; n < k; ++n)
        if (score(n) > highest) {
          highest = score(n);
          tag = n;
        }
      a.path[row * a.steps + real[s]] = int32_t(tag);
    }
  }
}

}  // namespace
}  // namespace seqtag
