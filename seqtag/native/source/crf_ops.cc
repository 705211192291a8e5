// CRFs as operations of TensorFlow.
#include "crf.h"

#include "operation.h"

namespace seqtag {
namespace {

enum { kEmissions, kMask, kStart, kTransitions, kEnd };

template <typename T>
Chain<T> chain_of(Call& call) {
  Chain<T> a = {};
  TF_Tensor* emissions = call.input(kEmissions);
  if (!emissions) return a;
  if (TF_NumDims(emissions) != 3) {
    call.fail("a CRF has emissions of another rank than 3");
    return a;
  }
  a.rows = TF_Dim(emissions, 0);
  a.steps = TF_Dim(emissions, 1);
  a.tags = TF_Dim(emissions, 2);
  if (!a.tags) call.fail("a CRF has no tags");
  a.emissions = call.input<T>(kEmissions, type_of<T>, {a.rows, a.steps, a.tags});
  a.mask = call.input<uint8_t>(kMask, kBool, {a.rows, a.steps});
  a.start = call.input<T>(kStart, type_of<T>, {a.tags});
  a.transitions = call.input<T>(kTransitions, type_of<T>, {a.tags, a.tags});
  a.end = call.input<T>(kEnd, type_of<T>, {a.tags});
  return a;
}

template <typename T>
void compute_expectations(void*, TF_OpKernelContext* context) {
  Call call(context);
  Chain<T> a = chain_of<T>(call);
  a.log_partition = call.output<T>(0, {a.rows});
  a.marginals = call.output<T>(1, {a.rows, a.steps, a.tags});
  a.first = call.output<T>(2, {a.rows, a.tags});
  a.moves = call.output<T>(3, {a.rows, a.tags, a.tags});
  a.last = call.output<T>(4, {a.rows, a.tags});
  if (call.ok()) run_expectations(a);
}

template <typename T>
void compute_best_path(void*, TF_OpKernelContext* context) {
  Call call(context);
  Chain<T> a = chain_of<T>(call);
  a.path = call.output<int32_t>(0, {a.rows, a.steps}, kInt);
  if (call.ok()) run_best_path(a);
}

const std::vector<const char*> kInputs = {"emissions: T", "mask: bool", "start: T", "transitions: T", "end: T"};

const bool expectations_registered = register_operation({
    "SeqtagCrfExpectations",
    {},
    kInputs,
    {"log_partition: T", "marginals: T", "first: T", "moves: T", "last: T"},
    nullptr,
    nullptr,
    compute_expectations<float>,
    compute_expectations<double>,
});

const bool best_path_registered = register_operation({
    "SeqtagCrfBestPath",
    {},
    kInputs,
    {"path: int32"},
    nullptr,
    nullptr,
    compute_best_path<float>,
    compute_best_path<double>,
});

}  // namespace
}  // namespace seqtag
