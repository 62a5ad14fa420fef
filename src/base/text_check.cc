#include "base/text_check.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"

namespace fp8q {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  size_t at;  // where in the file they stand
  const char* what;
};

// These are the first bytes of files that are given in place of text by mistake. They decide
// nothing but the message. A text in another encoding may begin with any letters, so that "BM" of
// images and "RIFF" of sounds are no signs: their zero bytes tell enough.
constexpr Signature kSignatures[] = {
    {"\x1F\x8B"sv, 0, "is compressed with gzip"},
    {"1AY&SY"sv, 4, "is compressed with bzip2"},
    {"\xFD"
     "7zXZ"sv,
     0, "is compressed with xz"},
    {"\x28\xB5\x2F\xFD"sv, 0, "is compressed with zstd"},
    {"\x04\x22\x4D\x18"sv, 0, "is compressed with lz4"},
    {"7z\xBC\xAF\x27\x1C"sv, 0, "is a 7z archive"},
    {"Rar!\x1A\x07"sv, 0, "is a RAR archive"},
    {"PK\x03\x04"sv, 0, "is a ZIP archive (as .npz, .pt, .xlsx and .docx files are)"},
    {"ustar"sv, 257, "is a tar archive"},
    {"PAR1"sv, 0, "is a Parquet file"},
    {"ARROW1"sv, 0, "is an Arrow file"},
    {"Obj\x01"sv, 0, "is an Avro file"},
    {"\x93NUMPY"sv, 0, "is a NumPy array"},
    {"\x89HDF"sv, 0, "is an HDF5 file"},
    {"SQLite format 3"sv, 0, "is an SQLite database"},
    {"\xD0\xCF\x11\xE0"sv, 0, "is a document of an old Office format"},
    {"%PDF-"sv, 0, "is a PDF document"},
    {"\x89PNG"sv, 0, "is a PNG image"},
    {"\xFF\xD8\xFF"sv, 0, "is a JPEG image"},
    {"GIF87a"sv, 0, "is a GIF image"},
    {"GIF89a"sv, 0, "is a GIF image"},
    {"\x7F"
     "ELF"sv,
     0, "is a program or library (ELF)"},
    {"\x80\x02"sv, 0, "is a Python pickle"},
    {"\x80\x03"sv, 0, "is a Python pickle"},
    {"\x80\x04"sv, 0, "is a Python pickle"},
    {"\x80\x05"sv, 0, "is a Python pickle"},
};

constexpr const char* kWantsText =
    "fp8q reads plain text in UTF-8: unpack or export the text first";

// Returns the name of a wider encoding, by its byte order mark or by the zero bytes that every
// second byte of English is in it.
const char* wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) return "UTF-16";
  if (bytes.size() < 4) return nullptr;
  const auto zero = [&](size_t i) { return bytes[i] == '\0'; };
  const bool little = !zero(0) && zero(1) && !zero(2) && zero(3);
  const bool big = zero(0) && !zero(1) && zero(2) && !zero(3);
  return little || big ? "UTF-16" : nullptr;
}

std::string place_of(std::string_view bytes, size_t at) {
  const std::string_view before = bytes.substr(0, at);
  const size_t line = static_cast<size_t>(std::ranges::count(before, '\n')) + 1;
  const size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}: byte {} (0x{:02x})", line, at - begin + 1,
                     static_cast<unsigned char>(bytes[at]));
}

}  // namespace

std::optional<std::string> problem_with_text(std::string_view bytes) {
  const size_t bad = std::min(find_ill_formed(bytes), bytes.find('\0'));
  if (bad == std::string_view::npos) return std::nullopt;
  for (const Signature& signature : kSignatures)
    if (bytes.size() > signature.at && bytes.substr(signature.at).starts_with(signature.bytes))
      return fmt::format("{} and no text; {}", signature.what, kWantsText);
  if (const char* encoding = wide_encoding(bytes))
    return fmt::format("is text in {}, not in UTF-8; convert it (iconv -f {} -t UTF-8)", encoding,
                       encoding);
  if (bytes[bad] == '\0')
    return fmt::format("{} occurs in no text, so this is a binary file; {}", place_of(bytes, bad),
                       kWantsText);
  return fmt::format(
      "{} is not UTF-8; convert the file from its encoding (iconv -f WINDOWS-1252 -t UTF-8, say), "
      "or, if it is a binary file, name one with text",
      place_of(bytes, bad));
}

std::string_view require_text(const std::string& name, std::string_view bytes) {
  if (const auto problem = problem_with_text(bytes))
    fail(ErrorCode::bad_data, "{}: {}", name, *problem);
  return without_bom(bytes);
}

}  // namespace fp8q
