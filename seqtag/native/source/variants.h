// The same passes for several instruction sets; the best one that the processor has is chosen when the library is loaded.
#pragma once

#include "crf.h"
#include "recurrence.h"

namespace seqtag {

template <typename T>
struct Kernels {
  Passes<T> recurrence;
  RowPass<T> expectations;
  RowPass<T> best_path;
};

struct Variant {
  Kernels<float> floats;
  Kernels<double> doubles;
};

template <typename T>
const Kernels<T>& kernels();

#if defined(__x86_64__)
extern const Variant variant_v3;  // AVX2 and FMA
extern const Variant variant_v4;  // AVX-512
#endif
extern const Variant variant_base;

// The variant in use; `use` chooses another one by its name, for tests: false where the processor lacks it.
const char* variant_name();
bool use_variant(const char* name);

}  // namespace seqtag
