#include "base/hash.h"

#include <gtest/gtest.h>

#include "tests/support/paths.h"

namespace fp8q {
namespace {

// These are FIPS 180-4's example "abc", and the empty message.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, OfBytesAndFiles) {
  EXPECT_EQ(sha256("abc"), kAbc);
  EXPECT_EQ(sha256(""), kEmpty);
  const test::TemporaryFolder folder;
  EXPECT_EQ(sha256_file(folder.write("abc", "abc")), kAbc);
  const std::string large(3'000'001, 'x');  // several blocks
  EXPECT_EQ(sha256_file(folder.write("large", large)), sha256(large));
}

}  // namespace
}  // namespace fp8q
