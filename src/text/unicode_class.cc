#include "text/unicode_class.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "text/bert_unicode.h"

namespace fp8q {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// These characters were assigned after Unicode 15.0, the version of utf8proc 2.8. Reference
// tokenizers already know them. The source is DerivedGeneralCategory.txt of Unicode 16.0.
constexpr Range kNewLetters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
};
constexpr Range kNewNumbers[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
    {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};
constexpr Range kNewMarks[] = {
    {0x0897, 0x0897},   {0x10D69, 0x10D6D}, {0x10EFC, 0x10EFC}, {0x113B8, 0x113C0},
    {0x113C2, 0x113C2}, {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D0},
    {0x113D2, 0x113D2}, {0x113E1, 0x113E2}, {0x11F5A, 0x11F5A}, {0x1611E, 0x1612F},
    {0x1E5EE, 0x1E5EF},
};

// \w has these characters in addition to letters, marks, decimal digits, letter numbers and
// connectors. They are the other characters of Other_Alphabetic, and Join_Control.
constexpr Range kOtherWord[] = {
    {0x200C, 0x200D}, {0x24B6, 0x24E9}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189},
};

template <size_t kCount>
bool contains(const Range (&ranges)[kCount], char32_t c) {
  return std::ranges::any_of(ranges, [c](Range r) { return r.first <= c && c <= r.last; });
}

uint8_t classify(char32_t c) {
  if ((bert_classes(c) & kBertSpace) != 0) return kSpace;
  if (contains(kNewLetters, c)) return kLetter | kWord;
  if (contains(kNewNumbers, c)) return kNumber | kWord;
  if (contains(kNewMarks, c) || contains(kOtherWord, c)) return kWord;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return kLetter | kWord;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
      return kNumber | kWord;
    case UTF8PROC_CATEGORY_NO:
      return kNumber;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_PC:
      return kWord;
    default:
      return 0;
  }
}

// The Basic Multilingual Plane is looked up in a table.
constexpr size_t kTableSize = 0x10000;

const std::vector<uint8_t>& class_table() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> classes(kTableSize);
    for (size_t c = 0; c < kTableSize; ++c) classes[c] = classify(static_cast<char32_t>(c));
    return classes;
  }();
  return table;
}

}  // namespace

uint8_t char_classes(char32_t c) { return c < kTableSize ? class_table()[c] : classify(c); }

}  // namespace fp8q
