// Tests what counts as text, and how what is none is named.
#include "base/text_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "tests/support/errors.h"

namespace fp8q {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

std::string problem(std::string_view bytes) { return problem_with_text(bytes).value_or("none"); }

TEST(TextCheck, Utf8IsText) {
  for (const std::string_view text :
       {""sv, "plain"sv, "caf\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80"sv, "\xEF\xBF\xBD"sv,
        "\x1B\x7F"sv, "BM"sv, "RIFF raff"sv, "GIF8 is no image here"sv})
    EXPECT_EQ(problem(text), "none") << text;
  EXPECT_EQ(require_text("f", "\xEF\xBB\xBFx"), "x");
}

TEST(TextCheck, WrongBytesAreNamedWithTheirPlace) {
  EXPECT_THAT(problem("un caf\xE9\n"), HasSubstr("line 1: byte 7 (0xe9) is not UTF-8"));
  EXPECT_THAT(problem("a\nb\n\xC3"), HasSubstr("line 3: byte 1 (0xc3)"));             // truncated
  EXPECT_THAT(problem("a\xC0\xAF"), HasSubstr("line 1: byte 2 (0xc0)"));              // overlong
  EXPECT_THAT(problem("0123456\n\xED\xA0\x80"), HasSubstr("line 2: byte 1 (0xed)"));  // surrogate
  EXPECT_THAT(problem("text\nmore\0"sv), HasSubstr("line 2: byte 5 (0x00) occurs in no text"));
  // Texts in another encoding that begin as files of other kinds do.
  for (const std::string_view begin : {"BMW"sv, "RIFF raff"sv, "BZh"sv, "Rar!"sv, "GIF8"sv})
    EXPECT_THAT(problem(std::string(begin) + " caf\xE9"), HasSubstr("(0xe9) is not UTF-8"))
        << begin;
  EXPECT_THAT(problem("BM\x36\x10\0\0"sv), HasSubstr("(0x00) occurs in no text"));
  test::expect_error(ErrorCode::bad_data, "f.tsv: line 1: byte 1 (0xff)",
                     [] { require_text("f.tsv", "\xFF"); });
}

TEST(TextCheck, EveryPlaceIsSeen) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    EXPECT_EQ(find_ill_formed(text), std::string::npos);
    text[at] = '\x80';
    EXPECT_EQ(find_ill_formed(text), at);
  }
}

struct Kind {
  std::string_view bytes;
  const char* name;
};

TEST(TextCheck, OtherFilesAreNamed) {
  const std::string tar = "file.txt" + std::string(249, '\0') + "ustar";
  for (const Kind& kind : {Kind{"\x1F\x8B\x08\0"sv, "gzip"},
                           {"BZh91AY&SY\xFF"sv, "bzip2"},
                           {"\xFD"
                            "7zXZ\0"sv,
                            "xz"},
                           {"\x28\xB5\x2F\xFD"sv, "zstd"},
                           {"PK\x03\x04\0"sv, "ZIP"},
                           {"PAR1\x15\0"sv, "Parquet"},
                           {"\x80\x04\x95"sv, "pickle"},
                           {"\x89PNG\r\n"sv, "PNG"},
                           {"\xFF\xD8\xFF\xE0"sv, "JPEG"},
                           {"%PDF-1.4\n\xE2"sv, "PDF"},
                           {"SQLite format 3\0"sv, "SQLite"},
                           {tar, "tar"},
                           {"\xFF\xFEt\0"sv, "UTF-16"},
                           {"\xFE\xFF\0t"sv, "UTF-16"},
                           {"t\0e\0x\0"sv, "UTF-16"},
                           {"\0t\0e\0x"sv, "UTF-16"},
                           {"\xFF\xFE\0\0t\0\0\0"sv, "UTF-32"}})
    EXPECT_THAT(problem(kind.bytes), HasSubstr(kind.name));
}

}  // namespace
}  // namespace fp8q
