// Linear-chain CRFs: expectations over all paths of a row, and its best path.
//
// A row uses its real steps alone; a mask may have gaps. Scores of -1e30 and less are impossible: no path has them.
#pragma once

#include <cstdint>

namespace seqtag {

template <typename T>
struct Chain {
  int64_t rows, steps, tags;
  const T* emissions;    // (rows, steps, tags)
  const uint8_t* mask;   // (rows, steps)
  const T* start;        // (tags)
  const T* transitions;  // (tags, tags), from the first axis to the second
  const T* end;          // (tags)

  // Of the expectations, which are all 0 where no path is possible: then the log-partition is minus infinity.
  T* log_partition;  // (rows)
  T* marginals;      // (rows, steps, tags), 0 at masked steps
  T* first;          // (rows, tags): the marginals of the first real step
  T* moves;          // (rows, tags, tags): how often the paths are expected to go from one tag to another
  T* last;           // (rows, tags): the marginals of the last real step

  // Of the best path: its tags (rows, steps), 0 at masked steps.
  int32_t* path;
};

// Computes the rows from `first` to before `stop`.
template <typename T>
using RowPass = void (*)(const Chain<T>&, int64_t first, int64_t stop);

// Over all rows, shared out among the threads of the pool.
template <typename T>
void run_expectations(const Chain<T>&);
template <typename T>
void run_best_path(const Chain<T>&);

}  // namespace seqtag
