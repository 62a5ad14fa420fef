#include "session/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/tiny_encoder.h"

namespace fp8q::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<float> run(const Encoder& encoder, const ExecutionOptions& execution,
                       std::vector<std::string>& notes) {
  return make_encoder_engine(encoder, execution, notes)->run(tiny_batch({5, 9}))[0].values;
}

TEST(Device, GeluByTanhWhateverTheModelHas) {
  const Encoder exact = tiny_encoder(TinyOptions{}),
                tanh = tiny_encoder(TinyOptions{.activation = Activation::gelu_tanh});
  const ExecutionOptions as_it_is{.device = "cpu"}, by_tanh{.device = "cpu", .gelu = Gelu::tanh};
  std::vector<std::string> notes;
  EXPECT_EQ(run(exact, by_tanh, notes), run(tanh, as_it_is, notes));
  EXPECT_NE(run(exact, by_tanh, notes), run(exact, as_it_is, notes));
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(run(tanh, by_tanh, notes), run(tanh, as_it_is, notes));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("changes nothing")));
}

TEST(Device, TheCpuSaysThatTokensAreForGpus) {
  std::vector<std::string> notes;
  run(tiny_encoder(TinyOptions{}), {.device = "cpu", .tokens_at_a_time = 64}, notes);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("--tokens")));
}

}  // namespace
}  // namespace fp8q::test
