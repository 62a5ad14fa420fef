#include "encoder/random_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/threads.h"
#include "encoder/summary.h"

namespace fp8q {
namespace {

const RandomShape& tiny() { return *random_shape_named("tiny"); }

std::vector<const Tensor*> weights_of(const Encoder& e) {
  std::vector<const Tensor*> all = {&e.embeddings.word.rows, &e.embeddings.norm.gamma};
  for (const EncoderLayer& l : e.layers)
    for (const Linear* linear :
         {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output}) {
      all.push_back(&linear->weight);
      all.push_back(&*linear->bias);
    }
  return all;
}

TEST(RandomEncoder, TheSeedDecidesEveryBitAndThreadsNone) {
  const int before = threads();
  const Encoder a = random_encoder(tiny(), 7);
  set_threads(1);
  const Encoder b = random_encoder(tiny(), 7);
  set_threads(before);
  const Encoder other = random_encoder(tiny(), 8);
  const auto x = weights_of(a), y = weights_of(b), z = weights_of(other);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(identical(*x[i], *y[i])) << i;
    EXPECT_FALSE(identical(*x[i], *z[i])) << i;
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(identical(*x[i], *x[j])) << i << " " << j;
  }
  // These values must not change from one version to the next, or measurements could not be
  // compared.
  const auto words = a.embeddings.word.rows.data<float>();
  EXPECT_EQ(words[0], 0.0225772336f);
  EXPECT_EQ(words[1], -0.0126140304f);
}

TEST(RandomEncoder, WeightsAreSpreadAsBertsAndNormsHaveOutliers) {
  const Encoder e = random_encoder(*random_shape_named("minilm-l6"));
  const auto w = e.layers[3].intermediate.weight.data<float>();
  double sum = 0, squares = 0, largest = 0;
  for (const float v : w) {
    sum += v;
    squares += double{v} * v;
    largest = std::max(largest, std::abs(double{v}));
  }
  const auto n = static_cast<double>(w.size());
  EXPECT_NEAR(sum / n, 0.0, 5 * 0.02 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n), 0.02, 1e-4);
  EXPECT_GT(largest, 0.06);
  EXPECT_LT(largest, 0.07);
  const auto gamma = e.layers[3].output_norm.gamma.data<float>();
  EXPECT_EQ(std::ranges::count_if(gamma, [](float g) { return g > 2; }), 3);
}

TEST(RandomEncoder, HasTheStructureOfItsShape) {
  for (const char* name : {"tiny", "minilm-l6"}) {
    const RandomShape& shape = *random_shape_named(name);
    const Encoder e = random_encoder(shape);
    const EncoderSummary s = summarize(e);
    EXPECT_EQ(s.layers, shape.layers);
    EXPECT_EQ(s.hidden, shape.hidden);
    EXPECT_EQ(s.heads, shape.heads);
    EXPECT_EQ(s.ffn, shape.inner);
    EXPECT_EQ(s.vocabulary, shape.vocabulary);
    EXPECT_EQ(s.positions, shape.positions);
    // A layer has 4 linear inputs (query, key and value share one), 4 attention operands and 6
    // weights; the head has two inputs and two weights.
    EXPECT_EQ(e.sites.size(), static_cast<size_t>(shape.layers) * 20 + 7);
    std::set<std::string> paths;
    for (const Site& site : e.sites) paths.insert(site.path);
    EXPECT_EQ(paths.size(), e.sites.size());
  }
  EXPECT_EQ(random_shape_named("bert"), nullptr);
}

}  // namespace
}  // namespace fp8q
