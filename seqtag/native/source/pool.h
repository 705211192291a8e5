// Threads that share out tasks which do not wait for one another.
#pragma once

#include <cstdint>
#include <functional>

namespace seqtag {

// How many threads work at once, the caller among them; 1 for no others. Threads start when they are first needed.
void set_threads(int count);
int threads();

// Calls task(0), ..., task(count - 1), in any order, and returns when all are done. The caller works too, so that it needs
// nobody's help to end; many threads may call it at the same time, also after a fork.
void in_parallel(int64_t count, const std::function<void(int64_t)>& task);

}  // namespace seqtag
