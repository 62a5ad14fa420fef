#include "engine/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace fp8q {
namespace {

using testing::ElementsAre;

// Holds [2, 2] weights and a Site for them, quantized if a format is given.
struct Layers {
  Linear& add(const std::vector<float>& weight, std::optional<Format> format, float scale) {
    Site site;
    site.kind = SiteKind::weight;
    site.path = "layer." + std::to_string(sites.size());
    if (format) site.quantization = Quantization{.format = *format, .scale = Tensor::scalar(scale)};
    sites.push_back(site);
    Linear& l = linears.emplace_back();
    l.in = l.out = 2;
    l.weight = Tensor::of<float>({2, 2}, weight);
    l.weight_site = static_cast<int>(sites.size()) - 1;
    return l;
  }
  JoinedLinears joined() const {
    std::vector<const Linear*> all;
    for (const Linear& l : linears) all.push_back(&l);
    return join(all, sites);
  }
  std::vector<Site> sites;
  std::vector<Linear> linears;
};

TEST(Join, LaysCodesOfOneFormatSideBySide) {
  Layers layers;
  layers.add({1, 2, 3, 4}, Format::int8, 0.5f);
  layers.add({5, 6, 7, 8}, Format::int8, 0.25f).bias = Tensor::of<float>({2}, {10, 11});
  const auto [weight, bias] = layers.joined();
  EXPECT_EQ(weight.format, Format::int8);
  EXPECT_THAT(weight.codes, ElementsAre(2, 4, 20, 24, 6, 8, 28, 32));
  EXPECT_THAT(weight.scales, ElementsAre(0.5f, 0.5f, 0.25f, 0.25f));
  EXPECT_THAT(bias, ElementsAre(0, 0, 10, 11));
}

TEST(Join, GivesValuesWhereFormatsDiffer) {
  Layers layers;
  layers.add({1, 2, 3, 4}, Format::int8, 0.5f);
  layers.add({5, 6, 7, 8}, std::nullopt, 1.0f);
  const auto [weight, bias] = layers.joined();
  EXPECT_FALSE(weight.format);
  EXPECT_THAT(weight.values, ElementsAre(2, 4, 5, 6, 6, 8, 7, 8)) << "of codes without their scale";
  EXPECT_THAT(weight.scales, ElementsAre(0.5f, 0.5f, 1, 1));
}

TEST(Join, NamesTheLayerWhoseBiasDoesNotFit) {
  Layers layers;
  layers.add({1, 2, 3, 4}, std::nullopt, 1.0f);
  layers.add({5, 6, 7, 8}, std::nullopt, 1.0f).bias = Tensor::of<float>({3}, {1, 2, 3});
  try {
    layers.joined();
    FAIL() << "the bias has three elements";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_model);
    EXPECT_STREQ(e.what(), "layer.1: width 2, but a bias of 3 elements");
  }
}

}  // namespace
}  // namespace fp8q
