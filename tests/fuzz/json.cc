// Reads every kind of JSON file. The first byte chooses the reader (readers() below), and the rest
// is the file. An input of one byte stands for a valid file of that kind. If the checksum of a
// sealed file is "repair", it is replaced by the right one, so that inputs reach what lies behind
// it.
#include <unistd.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "calibrate/statistics.h"
#include "evaluate/evaluation_score.h"
#include "json/sealed.h"
#include "quantize/detect.h"
#include "quantize/manifest.h"
#include "quantize/plan_file.h"
#include "report/page.h"
#include "study/tune_checkpoint.h"
#include "tasks/model_config.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_samples.h"
#include "tests/fuzz/json_tree.h"
#include "tests/support/paths.h"
#include "text/tokenizer.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::test {
namespace {

using nlohmann::json;

// Each input is written here. It is the current folder, too.
const TemporaryFolder& folder() {
  static const TemporaryFolder folder;
  return folder;
}

void read_statistics(const std::string& text) {
  const Statistics statistics = statistics_from_json(text, "model.calib.json");
  const Statistics again = statistics_from_json(to_json(statistics), "again");
  require(again == statistics, "statistics change when they are written and read");
  Statistics twice = statistics;
  succeeds([&] { twice.append(statistics); });
}

void read_evaluation(const std::string& text) {
  Evaluation evaluation = evaluation_from_json(text, "eval.json");
  const std::string written = to_json(evaluation);
  require(to_json(evaluation_from_json(written, "again")) == written,
          "an evaluation changes when it is written and read");
  if (evaluation.part.whole() && evaluation.examples.size() < 64) score_evaluation(evaluation);
}

void read_checkpoint(const std::string& text) {
  TuneCheckpoint checkpoint(folder().write("tune.json", text), kSampleSettings, false);
  checkpoint.keep("fp32", {1, 0, -1, 1});
  const TuneCheckpoint again(checkpoint.path(), kSampleSettings, false);
  require(again.find("fp32") != nullptr, "a checkpoint lost what it kept");
}

void read_manifest_of_model(const std::string& text) {
  Model model;
  model.metadata["fp8q.manifest"] = text;
  find_quantization(model);
  const auto manifest = read_manifest(model);
  require(manifest.has_value(), "the manifest is overlooked");
  Model again;
  write_manifest(*manifest, again);
  require(read_manifest(again) == manifest, "a manifest changes when it is written and read");
}

void read_config(const std::string& text) {
  read_model_config(folder().write("config.json", text));
}

void use(const Tokenizer& tokenizer) {
  const Encoding e = tokenizer.encode("The unaffable film's caf\xC3\xA9 [MASK]!", "a pair", 32);
  require(e.ids.size() <= 32, "too many tokens");
  for (const int32_t id : e.ids)
    require(id >= 0 && id < tokenizer.vocab_size(), "an id outside the vocabulary");
}

void read_tokenizer(const std::string& text) {
  use(Tokenizer::load(folder().write("tokenizer.json", text)));
}

void read_vocabulary(const std::string& text) {
  folder().write("bpe/merges.txt", sample_merges());
  use(Tokenizer::load(folder().write("bpe/vocab.json", text)));
}

void read_tokenizer_config(const std::string& text) {
  folder().write("words/tokenizer_config.json", text);
  use(Tokenizer::load(folder().write("words/vocab.txt", sample_vocabulary())));
}

void read_result(const std::string& text) {
  const auto results = load_results({folder().write("result.json", text)});
  const std::string page = report_page(results, {.title = "Fuzz", .version = "1", .sites = {}});
  require(is_report_page(page), "a report does not begin as one");
  require(page.find("<script>alert") == std::string::npos, "a report has a script of the input");
}

void read_workspace(const std::string& text) {
  folder().write(".fp8q/workspace.json", text);
  const auto workspace = cli::Workspace::load();
  require(workspace && !workspace->model.empty(), "a workspace without a model");
}

struct Reader {
  char letter;
  std::function<void(const std::string&)> read;
  std::function<std::string()> sample;
};

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {
      {'s', read_statistics, sample_statistics},
      {'p', [](const std::string& text) { plan_from_json(text, "plan.json"); }, sample_plan},
      {'e', read_evaluation, sample_evaluation},
      {'t', read_checkpoint, sample_checkpoint},
      {'m', read_manifest_of_model, sample_manifest},
      {'c', read_config, sample_config},
      {'k', read_tokenizer, sample_tokenizer},
      {'b', read_tokenizer, sample_byte_level_tokenizer},
      {'v', read_vocabulary, sample_byte_vocabulary},
      {'g', read_tokenizer_config, sample_tokenizer_config},
      {'r', read_result, sample_result},
      {'w', read_workspace, sample_workspace},
  };
  return all;
}

// Every other byte chooses a reader, too.
const Reader& reader_of(uint8_t byte) {
  for (const Reader& reader : readers())
    if (reader.letter == static_cast<char>(byte)) return reader;
  return readers()[byte % readers().size()];
}

// A sealed file's checksum is that of its content.
std::string repaired(std::string text) {
  if (text.find("\"repair\"") == std::string::npos) return text;
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object() || root.value("checksum", json()) != "repair" || !root.contains("content"))
    return text;
  const std::string content = dumped(root["content"]);
  const json schema = root.value("schema", json());
  return fp8q::json::seal(schema.is_string() ? schema.get<std::string>() : "", content, content);
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q::test;
  if (size == 0) return 0;
  static const bool entered = chdir(folder().path().c_str()) == 0;
  require(entered, "chdir");
  const Reader& reader = reader_of(data[0]);
  const std::string text(text_of(data + 1, size - 1));
  succeeds([&] { reader.read(text.empty() ? reader.sample() : repaired(text)); });
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace fp8q::test;
  if (size == 0 || seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text =
      size == 1 ? reader_of(data[0]).sample() : std::string(text_of(data + 1, size - 1));
  const auto changed = mutated_json(text, seed);
  if (!changed) return LLVMFuzzerMutate(data, size, max_size);
  return 1 + replace_input(data + 1, size - 1, max_size - 1, *changed);
}
