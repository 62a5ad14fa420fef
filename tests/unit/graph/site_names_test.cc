#include "graph/site_names.h"

#include <gtest/gtest.h>

namespace fp8q {
namespace {

TEST(SiteNames, RolesAreOfAnyLayer) {
  EXPECT_EQ(role_in_path("layer.3/ffn.output/input"), "ffn.output/input");
  EXPECT_EQ(role_in_path("layer.11/attention/query"), "attention/query");
  EXPECT_EQ(role_in_path("head.0/input"), "head.0/input");
  EXPECT_EQ(role_in_path("layer.3"), "layer.3");
}

TEST(SiteNames, KindsAndFormats) {
  Site site;
  EXPECT_EQ(name_of(SiteKind::activation), "activation");
  EXPECT_EQ(name_of(SiteKind::weight), "weight");
  EXPECT_EQ(format_name(site), "float");
  site.quantization = Quantization{.format = Format::int8, .scale = {}, .axis = {}};
  EXPECT_EQ(format_name(site), "int8");
}

}  // namespace
}  // namespace fp8q
