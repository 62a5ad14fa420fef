// Tests which requests are refused before any work is done.
#include "quantize/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Makes `plain` products with an initializer and `computed` ones with a weight behind an Exp.
Model products(int plain, int computed) {
  ModelBuilder b;
  b.input("x", {4, 6});
  for (int i = 0; i < plain + computed; ++i) {
    const std::string n = std::to_string(i);
    b.constant("w" + n, random_tensor({6, 6}, static_cast<uint32_t>(i)));
    if (i >= plain) b.node("Exp", {"w" + n}, "e" + n);
    b.node("MatMul", {"x", (i >= plain ? "e" : "w") + n}, "y" + n).output("y" + n, {4, 6});
  }
  return b.model;
}

void check(const Model& model, bool asked = true) {
  const auto sites = generic_sites(model);
  PlanRequest request = recipe_request(default_recipe(), sites);
  if (!asked)
    for (SiteRequest& site : request.sites) site.format.reset();
  require_coverage(model, sites, request, "m.onnx");
}

TEST(Coverage, IsATenthAtLeast) {
  EXPECT_NO_THROW(check(products(1, 9)));
  EXPECT_THAT(
      error_of(ErrorCode::unsupported, [] { check(products(1, 10)); }),
      AllOf(HasSubstr("m.onnx: 1 of the 11 matrix products"),
            HasSubstr("MatMul \"node:y1\": weight \"e1\" is computed"), HasSubstr("initializers")));
  EXPECT_THAT(error_of(ErrorCode::unsupported, [] { check(products(0, 1)); }),
              HasSubstr("0 of the 1"));
}

TEST(Coverage, NothingAskedFor) {
  for (const Model& model : {products(0, 0), products(3, 0)})
    EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { check(model, false); }),
                HasSubstr("no matrix product that can be quantized"));
}

TEST(Coverage, WeightsThatCannotBeQuantized) {
  const auto check_weight_of = [](const Tensor& weight) {
    const Model model = linear_model(weight);
    const auto sites = generic_sites(model);
    check_weights(model, sites, recipe_request(default_recipe(), sites));
  };
  Tensor weight = random_tensor({6, 5}, 1);
  for (const DType type : {DType::f32, DType::f16, DType::bf16})
    EXPECT_NO_THROW(check_weight_of(weight.to(type)));
  EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { check_weight_of(weight.to(DType::f64)); }),
              HasSubstr("\"W\" enters its product as double"));
  weight.mutable_data<float>()[3] = INFINITY;
  EXPECT_THAT(error_of(ErrorCode::bad_model, [&] { check_weight_of(weight); }),
              HasSubstr("element 3"));
}

// Products of two constants are constants, and no place for quantization.
TEST(Coverage, ProductsOfConstantsHaveNoSites) {
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 5});
  b.constant("a", random_tensor({6, 7}, 1)).constant("b", random_tensor({7, 5}, 2));
  b.node("MatMul", {"a", "b"}, "w").node("MatMul", {"x", "w"}, "y");
  const auto sites = generic_sites(b.model);
  ASSERT_EQ(sites.size(), 2u);
  EXPECT_EQ(sites[1].value, "w");
}

}  // namespace
}  // namespace fp8q::test
