// All kernels for one instruction set: compiled once for each, with SEQTAG_VARIANT and SEQTAG_VECTOR_BYTES.
#include "crf_passes.h"
#include "recurrence_passes.h"
#include "variants.h"

namespace seqtag {
namespace {

template <typename T>
constexpr Kernels<T> kernels_of = {
    {forward_size<T>, forward_pack<T>, forward<T>, backward_size<T>, backward_pack<T>, backward<T>},
    expectations<T>,
    best_path<T>,
};

}  // namespace

const Variant SEQTAG_VARIANT = {kernels_of<float>, kernels_of<double>};

}  // namespace seqtag
