// The same passes for several instruction sets; the best one that the processor has is chosen when the library is loaded.
#pragma once

#include "recurrence.h"

namespace seqtag {

struct Variant {
  Passes<float> floats;
  Passes<double> doubles;
};

#if defined(__x86_64__)
extern const Variant variant_v3;  // AVX2 and FMA
extern const Variant variant_v4;  // AVX-512
#endif
extern const Variant variant_base;

// The variant in use, and its name. `use` chooses another one by its name, for tests; false where the processor lacks it.
const Variant& variant();
const char* variant_name();
bool use_variant(const char* name);

}  // namespace seqtag
