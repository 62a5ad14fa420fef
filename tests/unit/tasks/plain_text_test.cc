// Tests what is taken for plain text, and that tables, binary files and other encodings are not.
#include "tasks/plain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tasks/task_data.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

std::string refusal(std::string_view content) {
  return error_of(ErrorCode::bad_data, [&] { read_plain_text("f.txt", content); });
}

TEST(PlainText, IsOneTextALineOrTwo) {
  const Dataset data = read_plain_text("f", "\xEF\xBB\xBFone, two\r\n\r\n \na\tb\n{\"x\": 1\nid\n");
  ASSERT_EQ(data.examples.size(), 4u);
  EXPECT_EQ(data.examples[0].text, "one, two");
  EXPECT_EQ(data.examples[1].pair, "b");
  EXPECT_EQ(data.split, "file");
}

TEST(PlainText, SentencesThatLookAlmostLikeTablesAreText) {
  for (const char* text : {"text, label, and more\n", "Answer,please\n", "yes,no\n", "a\t7\nb\tc\n",
                           "\"Quoted.\"\n", "text\n", "{braces}\n", "1,2,3\n"})
    EXPECT_GE(read_plain_text("f", text).examples.size(), 1u) << text;
}

TEST(PlainText, TablesAreNamed) {
  for (const char* table :
       {"id,text,label\n1,\"a, b\",1\n", "text;label\na;1\n", "sentence\tlabel\na\tb\n",
        "\"id\",\"sentence1\",\"sentence2\"\n", "\n\nquestion1,question2,is_duplicate\n"})
    EXPECT_THAT(refusal(table),
                AllOf(HasSubstr("names columns, so this is a table"), HasSubstr("--task")))
        << table;
  EXPECT_THAT(refusal("a film\t1\na bad one\t0\n"), HasSubstr("is a number in every line"));
  EXPECT_THAT(refusal("{\"text\": \"a\"}\n{\"text\": \"b\"}\n"), HasSubstr("a JSON object"));
  EXPECT_THAT(refusal("a\tb\tc\n"), HasSubstr("line 1: expected a text, or two"));
}

TEST(PlainText, OnlyTextIsRead) {
  EXPECT_THAT(refusal("fine\ncaf\xe9\n"), HasSubstr("f.txt: line 2: byte 4 (0xe9) is not UTF-8"));
  EXPECT_THAT(refusal("\x89PNG\r\n\x1a\n"), HasSubstr("f.txt: is a PNG image and no text"));
  EXPECT_THAT(refusal(""), HasSubstr("found none"));
}

TEST(PlainText, CommaSeparatedFilesAreRefusedByName) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("t.csv", "a film\n");
  EXPECT_THAT(
      error_of(ErrorCode::usage, [&] { load_calibration_text({.data = file, .count = 1}); }),
      AllOf(HasSubstr("t.csv: is a table with commas"), HasSubstr("--task")));
}

}  // namespace
}  // namespace fp8q
