#include "variants.h"

#include <cstring>
#include <vector>

namespace seqtag {
namespace {

struct Choice {
  const char* name;
  const Variant* variant;
};

std::vector<Choice> choices() {
  std::vector<Choice> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    found.push_back({"avx512", &variant_v4});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back({"avx2", &variant_v3});
  found.push_back({"sse2", &variant_base});
#else
  found.push_back({"base", &variant_base});
#endif
  return found;
}

Choice chosen = choices().front();

}  // namespace

template <>
const Kernels<float>& kernels() {
  return chosen.variant->floats;
}
template <>
const Kernels<double>& kernels() {
  return chosen.variant->doubles;
}

const char* variant_name() { return chosen.name; }

bool use_variant(const char* name) {
  for (const Choice& choice : choices())
    if (!std::strcmp(choice.name, name)) {
      chosen = choice;
      return true;
    }
  return false;
}

}  // namespace seqtag
