// Runs two engines side by side on the same batch, and computes the error at every Site of the
// second against the first.
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
  TensorError error;       // error of what the product reads
  TensorError rounding;    // activations: the second's values, rounded against unrounded
  uint64_t saturated = 0;  // number of the second's values, if it is quantized
  uint64_t underflowed = 0;
};

// Pairs equal Sites of two models, by path. Throws an Error (unsupported) that names the first path
// that only one of them has.
class SiteComparison {
 public:
  // Graphs and Sites must outlive the comparison.
  SiteComparison(ComparedModel a, ComparedModel b);

  // Compares the weights. Makes and drops both models' constants. Throws an Error (unsupported) if
  // sizes differ.
  void compare_weights();
  // Runs one batch through both engines, and holds the tensors of all Sites of `a` during the call.
  // Adds the error of outputs to `outputs`.
  void compare_batch(Engine& engine_a, Engine& engine_b, const PackedBatch& batch,
                     OutputErrors& outputs);

  // Stores what the second engine counted in all its runs, by Site.
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
