// Names and texts in files may hold anything. What the program prints, logs and puts on pages holds
// none of it that a terminal or a browser would obey, and its JSON holds the exact names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "onnx/save.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// Sets a color, rings, begins a line, overrides the direction of text, and begins a script.
constexpr const char* kHostile = "\x1b[31m\a\n\xE2\x80\xAE<script>\"'";

// Appends a text to every name of the model but those of its inputs.
void append_to_names(Model& model, const std::string& text) {
  std::set<std::string> kept;
  for (const ValueInfo& input : model.graph.inputs) kept.insert(input.name);
  const auto rename = [&](std::string& name) {
    if (!name.empty() && !kept.contains(name)) name += text;
  };
  for (Node& node : model.graph.nodes) {
    rename(node.name);
    for (std::string& input : node.inputs) rename(input);
    for (std::string& output : node.outputs) rename(output);
  }
  for (ValueInfo& output : model.graph.outputs) rename(output.name);
  for (ValueInfo& value : model.graph.value_info) rename(value.name);
  std::map<std::string, Tensor> initializers;
  for (auto& [name, tensor] : model.graph.initializers) initializers.emplace(name + text, tensor);
  model.graph.initializers = std::move(initializers);
  model.producer_name += text;
}

// Returns the first thing that a terminal must not get, or an empty text.
std::string unprintable_in(const std::string& text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if ((c < 0x20 && c != '\n') || c == 0x7F || text.compare(at, 3, "\xE2\x80\xAE") == 0)
      return text.substr(at < 40 ? 0 : at - 40, 80);
  }
  return "";
}

class HostileNames : public testing::Test {
 protected:
  void SetUp() override {
    write_model(kHostile);
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (int i = 5; i < 57; ++i) vocabulary += "word" + std::to_string(i) + "\n";
    write("vocab.txt", vocabulary);
    const std::string a = std::string("a") + kHostile, b = std::string("b") + kHostile;
    write("config.json", json{{"id2label", {{"0", a}, {"1", b}}}}.dump());
    std::string lines;
    for (int i = 0; i < 8; ++i)
      lines +=
          json{{"text", "word" + std::to_string(5 + i) + " " + kHostile}, {"label", i % 2 ? a : b}}
              .dump() +
          "\n";
    write("data.jsonl", lines);
  }

  void write_model(const std::string& suffix) const {
    Style style;
    style.labels = 2;
    Model model = tiny_encoder(style);
    append_to_names(model, suffix);
    save_model(model, folder() / "model.onnx");
  }

  fs::path folder() const { return temporary_.path(); }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder() / name, std::ios::binary) << content;
  }
  std::string bytes(const std::string& name) const { return read_file(folder() / name, 1 << 26); }

  // Runs a command, whose output must be printable, and returns it.
  ProcessResult run(std::vector<std::string> arguments, int exit_code = 0) const {
    const ProcessResult r = run_fp8q(arguments, {.folder = folder()});
    EXPECT_EQ(r.exit_code, exit_code) << testing::PrintToString(arguments) << r.err;
    EXPECT_EQ(unprintable_in(r.out), "") << testing::PrintToString(arguments);
    EXPECT_EQ(unprintable_in(r.err), "") << testing::PrintToString(arguments);
    return r;
  }

  TemporaryFolder temporary_;
};

TEST_F(HostileNames, NoCommandPrintsThem) {
  const std::vector<std::string> task = {"--task", "text", "--data", "data.jsonl"};
  const auto with_task = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), task.begin(), task.end());
    return arguments;
  };
  const std::vector<std::vector<std::string>> commands = {
      {"inspect", "model.onnx", "--sites", "--ops", "-v", "--log-file", "log"},
      with_task({"calibrate", "model.onnx", "-v"}),
      {"convert", "--format", "int8", "--sites", "-v"},
      with_task({"eval", "model.int8.onnx", "--kernels", "--flips", "--json", "eval.json"}),
      {"compare", "model.onnx", "model.int8.onnx", "--sites", "--json", "compare.json"},
      with_task({"sensitivity", "model.onnx", "--formats", "int8", "--sites", "--json", "s.json"}),
      with_task({"tune", "model.onnx", "--max-drop", "100", "--json", "tune.json"}),
      {"bench", "model.onnx", "--batch", "1", "--length", "4"},
      {"report", "eval.json", "compare.json", "s.json", "tune.json", "model.calib.json"},
  };
  for (const auto& command : commands) run(command);
  EXPECT_EQ(unprintable_in(bytes("log")), "");
  const std::string page = bytes("fp8q-report.html");
  EXPECT_EQ(unprintable_in(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST_F(HostileNames, JsonHasTheExactNames) {
  const ProcessResult r = run({"inspect", "model.onnx", "--json", "-"});
  const json facts = json::parse(r.out);
  EXPECT_THAT(facts["labels"][0].get<std::string>(), testing::EndsWith(kHostile));
  for (const json& site : facts["sites"])
    EXPECT_THAT(site["name"].get<std::string>(), HasSubstr(kHostile));
}

TEST_F(HostileNames, ErrorsAreOneShortLine) {
  const std::string name = std::string("no") + kHostile;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"inspect", name},
           {name},
           {"inspect", "model.onnx", name},
           {"eval", "model.onnx", "--task", name},
           {"eval", "model.onnx", "--task", "sst2", "--data", "data.jsonl"},
           {"calibrate", "model.onnx", "--data", name},
           {"convert", "model.onnx", "--calib", name},
           {"merge", name, name},
           {"report", name}}) {
    const ProcessResult r = run_fp8q(arguments, {.folder = folder()});
    EXPECT_NE(r.exit_code, 0) << testing::PrintToString(arguments);
    EXPECT_EQ(unprintable_in(r.out + r.err), "") << testing::PrintToString(arguments);
    EXPECT_LE(std::ranges::count(r.err, '\n'), 2) << r.err;
  }
}

TEST_F(HostileNames, LongNamesAreCut) {
  write_model(std::string(20'000, 'x'));
  EXPECT_LT(run({"inspect", "model.onnx", "--sites"}).out.size(), 100'000u);
  write("long.json", "{\"" + std::string(3'000'000, 'k') + "\": 1}");
  EXPECT_LT(run({"convert", "model.onnx", "--plan", "long.json"}, 5).err.size(), 10'000u);
}

}  // namespace
}  // namespace fp8q::test
