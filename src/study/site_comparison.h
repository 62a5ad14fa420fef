// Two engines side by side on the same batch: the error at every Site of the second against the
// first.
#pragma once

#include <string>
#include <vector>

#include "evaluate/output_error.h"
#include "graph/model.h"

namespace fp8q {

struct ComparedModel {
  std::string name;  // for messages
  const Model& model;
  const std::vector<Site>& sites;
};

struct SiteError {
  TensorError error;     // of what the product reads
  TensorError rounding;  // of activations: the second's values rounded against the same not rounded
  uint64_t saturated = 0;  // of the second's values, where it is quantized
  uint64_t underflowed = 0;
};

// Pairs of equal Sites of two models, by path. Error (unsupported) naming the first path that only
// one of them has.
class SiteComparison {
 public:
  // Graphs and Sites must outlive it.
  SiteComparison(ComparedModel a, ComparedModel b);

  // The weights; makes and drops both models' constants. Error (unsupported): different sizes.
  void compare_weights();
  // One batch through both; holds the tensors of all Sites of `a` meanwhile. The error of outputs
  // goes to `outputs`.
  void compare_batch(Engine& engine_a, Engine& engine_b, const PackedBatch& batch,
                     OutputErrors& outputs);

  // What the second engine counted in all its runs, by Site.
  void take_counts(const std::vector<SiteRounding>& counts);

  size_t size() const { return pairs_.size(); }
  const Site& site_a(size_t pair) const { return a_.sites[pairs_[pair].a]; }
  const Site& site_b(size_t pair) const { return b_.sites[pairs_[pair].b]; }
  const SiteError& error(size_t pair) const { return errors_[pair]; }

 private:
  struct Pair {
    size_t a, b;
  };
  void compare_weight(size_t pair, const Tensor& from, const Tensor& to);

  ComparedModel a_;
  ComparedModel b_;
  std::vector<Pair> pairs_;     // in the order of a's Sites
  std::vector<int> pair_of_b_;  // by Site of b
  std::vector<SiteError> errors_;
};

}  // namespace fp8q
