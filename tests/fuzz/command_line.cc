// Gives words to the program as its command line: one word a line. Accepted commands run in an
// empty folder, which no word can leave, except those that would measure speed.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "tests/support/paths.h"
#include "tools/fp8q/command.h"

namespace fp8q::test {
namespace {

// What follows options most often, and every command and option.
const std::vector<std::string> kWords = {"inspect",
                                         "calibrate",
                                         "merge",
                                         "convert",
                                         "eval",
                                         "bench",
                                         "report",
                                         "compare",
                                         "sensitivity",
                                         "tune",
                                         "--baseline",
                                         "--batch",
                                         "--calib",
                                         "--checkpoint",
                                         "--compare",
                                         "--compute",
                                         "--confidence",
                                         "--config",
                                         "--data",
                                         "--device",
                                         "--doc-stride",
                                         "--drop-type",
                                         "--evaluations",
                                         "--examples",
                                         "--fallback",
                                         "--flips",
                                         "--float-only",
                                         "--force",
                                         "--format",
                                         "--formats",
                                         "--gelu",
                                         "--help",
                                         "--holdout",
                                         "--json",
                                         "--kernels",
                                         "--label-column",
                                         "--length",
                                         "--limit",
                                         "--max-answer-length",
                                         "--max-drop",
                                         "--max-length",
                                         "--metric",
                                         "--min-time",
                                         "--n-best",
                                         "--no-baseline",
                                         "--null-threshold",
                                         "--observer",
                                         "--ops",
                                         "--pair-column",
                                         "--plan",
                                         "--predictions",
                                         "--quantize-embeddings",
                                         "--quantize-head",
                                         "--ragged",
                                         "--random-data",
                                         "--recipe",
                                         "--reference",
                                         "--repeat",
                                         "--restart",
                                         "--seed",
                                         "--shape",
                                         "--shard",
                                         "--site",
                                         "--sites",
                                         "--smooth-quant",
                                         "--split",
                                         "--task",
                                         "--text-column",
                                         "--threads",
                                         "--title",
                                         "--tokenizer",
                                         "--tokens",
                                         "--version",
                                         "--weight-observer",
                                         "--write-plan",
                                         "--write-ranges",
                                         "-o",
                                         "-q",
                                         "-v",
                                         "-h",
                                         "--",
                                         "-",
                                         "",
                                         "0",
                                         "1",
                                         "-1",
                                         "2",
                                         "0.5",
                                         "1e300",
                                         "nan",
                                         "inf",
                                         "1e-400",
                                         "18446744073709551616",
                                         "0x10",
                                         "1,2",
                                         ",",
                                         "1/3",
                                         "4/3",
                                         "0/0",
                                         "3/-1",
                                         "model.onnx",
                                         "model.calib.json",
                                         "sst2",
                                         "text",
                                         "squad",
                                         "e4m3",
                                         "int8",
                                         "naive-int8",
                                         "fp32",
                                         "int8,e4m3",
                                         "percentile:99.9",
                                         "percentile:-1",
                                         "mse",
                                         "fixed:nan",
                                         "auto",
                                         "cpu",
                                         "cuda:99999999999",
                                         "layer.*=int8@channel",
                                         "*=float",
                                         "*=",
                                         "=",
                                         "[=int8",
                                         "layer.*=:percentile",
                                         "--batch=1",
                                         "--format=",
                                         "--x",
                                         "dev",
                                         "accuracy",
                                         "bf16",
                                         "tanh",
                                         "bert-base",
                                         "a b",
                                         "\xC3\xA9",
                                         "\xFF",
                                         "@file",
                                         "relative"};

// Returns the word without what could name a file outside of the folder.
std::string harmless(std::string word) {
  std::erase(word, '\0');
  std::replace(word.begin(), word.end(), '/',
               word.find_first_not_of("0123456789/") == std::string::npos ? '/' : '_');
  if (word.starts_with('/') || word.find("..") != std::string::npos) word.insert(0, "_");
  return word;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words = {"fp8q"};
  while (!text.empty() && words.size() < 64) {
    const size_t end = std::min(text.find('\n'), text.size());
    words.push_back(harmless(std::string(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

void perform(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  cli::Globals globals;
  cli::CommandLine program({.name = "fp8q", .description = "", .version = "", .footer = ""});
  cli::add_commands(program, globals);
  const auto code = program.parse(static_cast<int>(arguments.size()), arguments.data());
  if (code) return require(*code == 0 || *code == 2, "an undocumented exit code");
  if (std::find(words.begin(), words.end(), "bench") == words.end()) program.run();
}

// Files that a run made must not become the input of the next one.
void empty_folder(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    std::filesystem::remove_all(entry.path());
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q::test;
  static const TemporaryFolder folder;
  static const bool prepared = chdir(folder.path().c_str()) == 0 && unsetenv("FP8Q_DATA") == 0;
  require(prepared, "chdir");
  succeeds([&] { perform(words_of(text_of(data, size))); });
  empty_folder(folder.path());
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace fp8q::test;
  std::mt19937 random(seed);
  if (random() % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<std::string> words = words_of(text_of(data, size));
  const auto at = words.begin() + 1 + static_cast<long>(random() % words.size());
  const std::string& word = kWords[random() % kWords.size()];
  if (at == words.end() || random() % 2) words.insert(at, word);
  else if (random() % 2) words.erase(at);
  else *at = word;
  std::string text;
  for (size_t i = 1; i < words.size(); ++i) text += (i > 1 ? "\n" : "") + words[i];
  return replace_input(data, size, max_size, text);
}
