// Makes allocations and operations on files fail, one at a time, in every command
// on a tiny model. The program ends with its exit code, what it writes is whole or not there, its
// inputs stay as they are, and no temporary file is left.
//
// By default a sample of all faults is tried. With FP8Q_FAULT_POINTS=<number> as many are tried of
// each kind in each command, or all if there are fewer (scripts/fault_sweep.sh).
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "onnx/save.h"
#include "tests/fault/kinds.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr long kSample = 4;

struct Command {
  std::string name;
  std::vector<std::string> arguments;
};
std::ostream& operator<<(std::ostream& out, const Command& command) { return out << command.name; }

// Each finds what those before it made.
const std::vector<Command> kCommands = {
    {"inspect", {"inspect", "."}},
    {"calibrate",
     {"calibrate", ".", "--data", "text.txt", "--examples", "4", "--device", "cpu", "--threads",
      "2"}},
    {"convert", {"convert", "."}},
    {"eval",
     {"eval", "model.e4m3.onnx", "--task", "sst2", "--data", "dev.tsv", "--predictions", "p.jsonl",
      "--device", "cpu", "--threads", "2"}},
    {"compare",
     {"compare", "model.onnx", "model.e4m3.onnx", "--data", "text.txt", "--examples", "2",
      "--device", "cpu", "--threads", "2"}},
    {"sensitivity",
     {"sensitivity", ".", "--data", "text.txt", "--examples", "2", "--formats", "int8", "--device",
      "cpu", "--threads", "2"}},
    {"tune",
     {"tune", ".", "--task", "sst2", "--data", "dev.tsv", "--examples", "2", "--evaluations", "1",
      "--device", "cpu", "--threads", "2"}},
    {"merge", {"merge", "model.calib.1of2.json", "model.calib.2of2.json", "-o", "all.calib.json"}},
    {"report", {"report", "model.calib.json"}},
    {"bench",
     {"bench", "model.onnx", "--batch", "1", "--length", "4", "--repeat", "1", "--device", "cpu",
      "--threads", "2"}}};

using Files = std::map<std::string, std::string>;  // name -> contents

Files files_in(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path(), 1 << 26);
  return files;
}

bool is_temporary(const std::string& name) { return name.find(".tmp.") != name.npos; }

// Leaves out the files of the workspace, which remember when they were made.
Files results_among(Files files) {
  std::erase_if(files, [](const auto& file) {
    return file.first.starts_with(".fp8q/") && !is_temporary(file.first);
  });
  return files;
}

std::map<std::string, long> counts_in(const fs::path& file) {
  std::map<std::string, long> counts;
  std::ifstream in(file);
  std::string kind;
  for (long count; in >> kind >> count;) counts[kind] = count;
  return counts;
}

long points_of_each_kind() {
  const char* wanted = std::getenv("FP8Q_FAULT_POINTS");
  return wanted ? std::atol(wanted) : kSample;
}

// Returns up to `points` numbers from 1 to `count`, evenly spread: the first and the last ones,
// too.
std::set<long> spread(long count, long points) {
  std::set<long> numbers;
  for (long i = 0; i < points && count > 0; ++i)
    numbers.insert(1 + (points == 1 ? 0 : i * (count - 1) / (points - 1)));
  return numbers;
}

class Faults : public testing::TestWithParam<Command> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers have allocators of their own";
#endif
    make_inputs();
    for (const char* shard : {"1/2", "2/2"}) {
      Command command = kCommands[1];
      command.arguments.insert(command.arguments.end(), {"--shard", shard});
      ASSERT_EQ(run(command, "").exit_code, 0);
    }
    for (const Command& command : kCommands) {
      if (command.name == GetParam().name) break;
      const ProcessResult r = run(command, "");
      ASSERT_EQ(r.exit_code, 0) << command << r.err;
    }
    before_ = files_in(folder());
    const fs::path counts = temporary_.path() / "counts";
    const ProcessResult r = run(GetParam(), "", counts);
    ASSERT_EQ(r.exit_code, 0) << r.err;
    after_ = files_in(folder());
    made_ = results_among(after_).size() - results_among(before_).size();
    counts_ = counts_in(counts);
    ASSERT_GT(counts_["allocation"], 1000) << "was the library loaded?";
  }

  void make_inputs() const {
    Style style;
    style.head = HeadStyle::bert;
    style.labels = 2;
    style.layers = 1;
    fs::create_directory(folder());
    const Model model = tiny_encoder(style);
    save_model(model, folder() / "model.onnx", {.max_proto_bytes = 1 << 15});  // weights beside it
    std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) words += std::string(1, c) + "\n##" + c + "\n";
    write("vocab.txt", words);
    write("config.json",
          R"({"model_type": "bert", "id2label": {"0": "negative", "1": "positive"}})");
    write("text.txt", "a film\nan end\nno\nyes\n");
    write("dev.tsv", "sentence\tlabel\na film\t1\nno end\t0\n");
  }

  fs::path folder() const { return temporary_.path() / "work"; }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name, std::ios::binary) << content;
  }

  ProcessResult run(const Command& command, const std::string& fault,
                    const fs::path& counts = {}) const {
    return run_fp8q(command.arguments, {.folder = folder(),
                                        .environment = {{"LD_PRELOAD", FP8Q_FAULT_SHIM},
                                                        {"FP8Q_FAULT", fault},
                                                        {"FP8Q_FAULT_COUNTS", counts.string()}}});
  }

  // Brings the folder back to what it was before the command.
  void restore() const {
    fs::remove_all(folder());
    for (const auto& [name, contents] : before_) write(name, contents);
  }

  // Runs the command with a fault and looks at what it leaves.
  void expect_whole(const std::string& fault, const std::set<int>& exit_codes) {
    restore();
    const ProcessResult r = run(GetParam(), fault);
    EXPECT_TRUE(exit_codes.contains(r.exit_code)) << fault << ": exit " << r.exit_code << "\n"
                                                  << r.err;
    EXPECT_TRUE(r.exit_code == 0 || r.exit_code == kKilled || !r.err.empty()) << fault;
    ++ends_[r.exit_code];
    Files left = results_among(files_in(folder()));
    for (const auto& [name, contents] : results_among(before_)) {
      EXPECT_TRUE(left[name] == contents) << fault << " changed " << name;
      left.erase(name);
    }
    if (r.exit_code == kKilled)
      std::erase_if(left, [](const auto& f) { return is_temporary(f.first); });
    EXPECT_TRUE(r.exit_code != 0 || left.size() == made_) << fault;
    for (const auto& [name, contents] : left)
      EXPECT_TRUE(after_.contains(name) && after_.at(name) == contents)
          << fault << " left " << name << " with " << contents.size() << " bytes";
    if (r.exit_code == kKilled) expect_next_run_whole(fault);
  }

  // Runs the command again after it was killed.
  void expect_next_run_whole(const std::string& fault) {
    const ProcessResult r = run(GetParam(), "");
    EXPECT_EQ(r.exit_code, 0) << "after " << fault << "\n" << r.err;
    EXPECT_TRUE(results_among(files_in(folder())) == results_among(after_)) << "after " << fault;
  }

  void sweep(FaultKind kind, const std::string& effect, const std::set<int>& exit_codes) {
    const std::string name = kFaultKinds[static_cast<size_t>(kind)].name;
    long count = counts_[name];
    if (kind == FaultKind::allocation) count -= count / 50;  // the number varies with the threads
    ends_.clear();
    for (const long number : spread(count, points_of_each_kind()))
      expect_whole(fmt::format("{} {} {}", name, number, effect), exit_codes);
    std::string ends;
    for (const auto& [code, times] : ends_) ends += fmt::format(", exit code {}: {}", code, times);
    fmt::print("  {}: {} {}: there are {}{}\n", GetParam().name, name, effect, count, ends);
    std::fflush(stdout);
  }

  TemporaryFolder temporary_;
  Files before_, after_;  // the command without a fault
  size_t made_ = 0;       // results of it
  std::map<std::string, long> counts_;
  std::map<int, int> ends_;  // exit code -> runs of this sweep
};
INSTANTIATE_TEST_SUITE_P(Main, Faults, testing::ValuesIn(kCommands),
                         [](const auto& tested) { return tested.param.name; });

// What is only convenient is done without, so that the command may succeed.
TEST_P(Faults, Allocations) {
  sweep(FaultKind::allocation, "once", {0, 8});
  sweep(FaultKind::allocation, "onwards", {8});
}

TEST_P(Faults, Files) {
  for (const FaultKind kind :
       {FaultKind::open, FaultKind::examine, FaultKind::read, FaultKind::map, FaultKind::list,
        FaultKind::folder, FaultKind::create, FaultKind::lock, FaultKind::write, FaultKind::mode,
        FaultKind::synchronize, FaultKind::close, FaultKind::rename})
    sweep(kind, "once", {0, 6});
  for (const FaultKind kind :
       {FaultKind::read, FaultKind::write, FaultKind::synchronize, FaultKind::close})
    sweep(kind, "interrupted", {0});
  for (const FaultKind kind : {FaultKind::read, FaultKind::write}) sweep(kind, "short", {0});
}

// Whoever gets fewer threads than asked for does with those.
TEST_P(Faults, Threads) {
  sweep(FaultKind::thread, "once", {0});
  sweep(FaultKind::thread, "onwards", {0});
}

TEST_P(Faults, Death) {
  for (const FaultKind kind :
       {FaultKind::folder, FaultKind::create, FaultKind::lock, FaultKind::write,
        FaultKind::synchronize, FaultKind::rename, FaultKind::close, FaultKind::allocation})
    sweep(kind, "dies", {kKilled});
}

}  // namespace
}  // namespace fp8q::test
