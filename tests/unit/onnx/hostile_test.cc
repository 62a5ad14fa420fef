// Reading damaged and crafted bytes ends in an Error or a Model, never otherwise.
#include <algorithm>

#include "onnx/load.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

enum class Outcome { read, refused };

// Fails the test for anything but a Model or an Error of an expected code.
Outcome attempt(std::string bytes) {
  try {
    parse_model(std::move(bytes), "bytes");
    return Outcome::read;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == kBad || error.code() == ErrorCode::unsupported ||
                error.code() == ErrorCode::limit)
        << error.what();
    return Outcome::refused;
  }
}

// Returns a length-delimited field.
std::string field(int number, const std::string& content) {
  const auto varint = [](uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
    return bytes;
  };
  return varint(static_cast<uint64_t>(number) << 3 | 2) + varint(content.size()) + content;
}

std::string tiny_bytes() { return tiny_model().SerializeAsString(); }

TEST(Hostile, Truncation) {
  const std::string bytes = tiny_bytes();
  for (size_t size = 0; size < bytes.size(); ++size) attempt(bytes.substr(0, size));
  // If the file ends inside the graph, the message says so.
  expect_error(kBad, "not downloaded completely",
               [&] { parse_model(bytes.substr(0, bytes.size() / 2), "bytes"); });
}

TEST(Hostile, BitFlips) {
  const std::string bytes = tiny_bytes();
  size_t refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    if (attempt(flipped) == Outcome::refused) ++refused;
  }
  EXPECT_GT(refused, bytes.size());
}

TEST(Hostile, DeepNesting) {
  // ModelProto.graph is followed by NodeProto (1), AttributeProto (5) and GraphProto (6) again and
  // again. The 10^5 headers each announce all that follows. They are built from the inside out,
  // which is why they are written backwards.
  constexpr int kDepth = 100'000;
  std::string bytes;
  std::string header;
  for (int i = kDepth; i > 0; --i) {
    const size_t inner = bytes.size();
    header.assign(1, static_cast<char>((i % 3 == 0 ? 6 : i % 3 == 1 ? 1 : 5) << 3 | 2));
    for (size_t value = inner;; value >>= 7) {
      header.push_back(static_cast<char>(value >= 0x80 ? value | 0x80 : value));
      if (value < 0x80) break;
    }
    bytes.insert(bytes.end(), header.rbegin(), header.rend());
  }
  std::reverse(bytes.begin(), bytes.end());
  expect_error(kBad, "nested deeper", [&] { parse_model(field(7, bytes), "bytes"); });
}

TEST(Hostile, TwoGraphs) {
  const std::string bytes = tiny_bytes();
  expect_error(kBad, "\"graph\" occurs twice", [&] { parse_model(bytes + field(7, ""), "bytes"); });
  // The model has a second ir_version, a varint.
  expect_error(kBad, "\"ir_version\" occurs twice",
               [&] { parse_model(bytes + std::string("\x08\x08", 2), "bytes"); });
}

TEST(Hostile, TwoSpellings) {
  const std::string bytes = tiny_bytes();
  const std::string group = "\xA3\x06\xA4\x06";  // field 100 as a group
  expect_error(kBad, "malformed", [&] { parse_model(bytes + group, "bytes"); });
  expect_error(kBad, "padded",
               [&] { parse_model(bytes + std::string("\xA0\x06\x81\x00", 4), "b"); });
  const std::string endless = "\xA0\x06" + std::string(11, '\xFF');
  expect_error(kBad, "malformed", [&] { parse_model(bytes + endless, "bytes"); });
  EXPECT_NO_THROW(parse_model(bytes + "\xA0\x06\x01", "bytes"));  // an unknown field is legal
}

TEST(Hostile, ManyParts) {
  // The model has 5 * 10^6 empty nodes of two bytes each.
  std::string nodes;
  for (int i = 0; i < 5'000'000; ++i) nodes += std::string("\x0A\x00", 2);
  expect_error(ErrorCode::limit, "more than", [&] { parse_model(field(7, nodes), "bytes"); });
}

TEST(Hostile, NamesArePrintedSafely) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_graph()->mutable_node(0)->set_input(0, "\x1B[2J\xFF" + std::string(1000, 'n'));
  try {
    parse(proto);
    FAIL();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\x1B'), std::string::npos);
    EXPECT_NE(message.find("\\x1b[2J\\xff"), std::string::npos);
    EXPECT_LT(message.size(), 500U);
  }
}

}  // namespace
}  // namespace fp8q::test
