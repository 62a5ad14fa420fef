#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/memory_limit.h"
#include "base/threads.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

void add_global_options(Command& command, Globals& globals) {
  command.option("--json", &globals.json, "Write the results as JSON; - is standard output")
      .type_name("FILE");
  command.option("--log-file", &globals.log_file, "Write a detailed log").type_name("FILE");
  const Option quiet = command.flag("-q,--quiet", &globals.quiet, "Print errors only");
  command.flag("-v,--verbose", &globals.verbose, "Say more on standard error").excludes(quiet);
}

namespace {

// Returns the bytes that "512M", "1.5G" or "1073741824" stand for; K, M, G and T are powers of
// 1024, and "B" or "iB" may follow them.
uint64_t size_from(const std::string& text) {
  constexpr std::string_view kUnits = "BKMGT";
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  std::string unit(rest, end);
  for (char& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (unit.size() > 1 && unit[0] != 'B' && (unit.substr(1) == "B" || unit.substr(1) == "IB"))
    unit.resize(1);
  const size_t power = unit.empty() ? 0 : kUnits.find(unit);
  const double bytes = power < kUnits.size() ? std::ldexp(number, 10 * static_cast<int>(power)) : 0;
  if (error != std::errc() || unit.size() > 1 || !(bytes >= 1) || bytes >= 0x1p63)
    fail(ErrorCode::usage, "--max-memory: takes a size such as 512M, 1.5G or 1073741824, not {}",
         printable(text));
  return static_cast<uint64_t>(bytes);
}

}  // namespace

void add_memory_option(Command& command) {
  command
      .option(
          "--max-memory", [](const std::string& text) { set_max_memory(size_from(text)); },
          "Memory that the program may allocate, as 512M or 1.5G; mapped files do not count "
          "(default: what the machine has available, or its container grants)")
      .type_name("SIZE");
}

Option add_device_options(Command& command, ExecutionOptions& execution) {
  command.option("--device", &execution.device, "auto, cpu or cuda[:N]").show_default();
  command
      .option(
          "--threads", [](int n) { set_threads(n); },
          "Threads (default: all cores, or what a quota grants)")
      .range(1, 1024)
      .type_name("N");
  add_memory_option(command);
  return command.choice(
      "--compute", {{"auto", Compute::automatic}, {"fp32", Compute::fp32}, {"bf16", Compute::bf16}},
      &execution.compute, "Products that are not quantized: auto (FP32), fp32 or bf16");
}

void add_gelu_option(Command& command, ExecutionOptions& execution) {
  command.choice(
      "--gelu", {{"model", Gelu::of_model}, {"tanh", Gelu::tanh}}, &execution.gelu,
      "GELU as the model has it, or its approximation by tanh (at most 4.8e-4 away), which a "
      "GPU computes within a matrix product where it can: model or tanh");
}

void add_execution_options(Command& command, ExecutionOptions& execution) {
  const Option compute = add_device_options(command, execution);
  command.option("--batch", &execution.batch, "Examples per run; results do not depend on it")
      .range(1, 4096)
      .type_name("N")
      .show_default();
  command
      .flag("--reference", &execution.reference,
            "Run through the reference interpreter: slow, the oracle")
      .excludes(compute);
}

Option add_shard_option(Command& command, size_t& shard, size_t& shards) {
  const auto take = [&shard, &shards](const std::string& text) {
    unsigned i = 0, n = 0;
    int used = 0;
    if (sscanf(text.c_str(), "%6u/%6u%n", &i, &n, &used) != 2 ||
        static_cast<size_t>(used) != text.size() || i < 1 || i > n)
      fail(ErrorCode::usage, "--shard: takes I/N with I from 1 to N, not {}", text);
    shard = i;
    shards = n;
  };
  return command
      .option("--shard", take, "Only part I of N of the examples; fp8q merge joins the parts")
      .type_name("I/N");
}

void add_examples_option(Command& command, size_t& examples, const char* help) {
  command.option("--examples", &examples, help).range(1, 1000000).type_name("N").show_default();
}

void add_tokenizer_options(Command& command, std::optional<fs::path>& tokenizer,
                           std::optional<fs::path>& config) {
  command
      .option(
          "--tokenizer", &tokenizer,
          "tokenizer.json, vocab.txt or vocab.json, or its folder (default: beside the model, or "
          "one folder up)")
      .type_name("PATH");
  command
      .option("--config", &config,
              "config.json or its folder (default: beside the model, one folder up, or beside the "
              "tokenizer)")
      .type_name("PATH");
}

}  // namespace fp8q::cli
