// Holds one case of a golden file: a text, and what the reference makes of it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "text/tokenizer.h"

namespace fp8q::test {

inline void expect_case(const Tokenizer& tokenizer, const nlohmann::json& c) {
  const auto text = c["text"].get<std::string>();
  std::optional<std::string> pair;
  if (!c["pair"].is_null()) pair = c["pair"].get<std::string>();
  const Encoding e = tokenizer.encode(text, pair, c["max_length"].get<size_t>());
  EXPECT_EQ(e.ids, c["ids"].get<std::vector<int32_t>>()) << c.dump();
  EXPECT_EQ(e.type_ids, c["type_ids"].get<std::vector<int32_t>>()) << c.dump();
  EXPECT_EQ(e.offsets, c["offsets"].get<std::vector<CharRange>>()) << c.dump();
}

}  // namespace fp8q::test
