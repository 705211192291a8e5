// What Python sets and asks.
#include "pool.h"
#include "variants.h"

#define SEQTAG_PUBLIC extern "C" __attribute__((visibility("default")))

SEQTAG_PUBLIC void seqtag_set_threads(int count) { seqtag::set_threads(count); }
SEQTAG_PUBLIC const char* seqtag_source_hash() { return SEQTAG_SOURCE_HASH; }
SEQTAG_PUBLIC int seqtag_threads() { return seqtag::threads(); }
SEQTAG_PUBLIC const char* seqtag_instructions() { return seqtag::variant_name(); }
SEQTAG_PUBLIC int seqtag_use_instructions(const char* name) { return seqtag::use_variant(name); }

// For tests: the pool calls back.
SEQTAG_PUBLIC void seqtag_in_parallel(int64_t count, void (*task)(int64_t)) { seqtag::in_parallel(count, task); }
