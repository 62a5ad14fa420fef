#include <cstdio>

#include "base/threads.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

void add_global_options(CLI::App& command, Globals& globals) {
  command.add_option("--json", globals.json, "Write the results as JSON; - is standard output")
      ->type_name("FILE");
  command.add_option("--log-file", globals.log_file, "Write a detailed log")->type_name("FILE");
  auto* quiet = command.add_flag("-q,--quiet", globals.quiet, "Print errors only");
  command.add_flag("-v,--verbose", globals.verbose, "Say more on standard error")->excludes(quiet);
}

CLI::Option* add_device_options(CLI::App& command, ExecutionOptions& execution) {
  command.add_option("--device", execution.device, "auto, cpu or cuda[:N]")->capture_default_str();
  command
      .add_option_function<int>(
          "--threads", [](const int& n) { set_threads(n); }, "Threads (default: all cores)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  return command
      .add_option_function<std::string>(
          "--compute",
          [&execution](const std::string& name) {
            execution.compute = name == "bf16"   ? Compute::bf16
                                : name == "fp32" ? Compute::fp32
                                                 : Compute::automatic;
          },
          "Products that are not quantised: auto (FP32), fp32 or bf16")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}));
}

void add_gelu_option(CLI::App& command, ExecutionOptions& execution) {
  command
      .add_option_function<std::string>(
          "--gelu",
          [&execution](const std::string& name) {
            execution.gelu = name == "tanh" ? Gelu::tanh : Gelu::of_model;
          },
          "GELU as the model has it, or its approximation by tanh (at most 4.8e-4 away), which a "
          "GPU computes within a matrix product where it can: model or tanh")
      ->check(CLI::IsMember({"model", "tanh"}));
}

void add_execution_options(CLI::App& command, ExecutionOptions& execution) {
  CLI::Option* compute = add_device_options(command, execution);
  command.add_option("--batch", execution.batch, "Examples per run; results do not depend on it")
      ->check(CLI::Range(1, 4096))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_flag("--reference", execution.reference,
                "Run through the reference interpreter: slow, the oracle")
      ->excludes(compute);
}

CLI::Option* add_shard_option(CLI::App& command, size_t& shard, size_t& shards) {
  return command
      .add_option_function<std::string>(
          "--shard",
          [&](const std::string& text) {
            unsigned i = 0, n = 0;
            int used = 0;
            if (sscanf(text.c_str(), "%6u/%6u%n", &i, &n, &used) != 2 ||
                static_cast<size_t>(used) != text.size() || i < 1 || i > n)
              throw CLI::ValidationError("--shard", "takes I/N with I from 1 to N, not " + text);
            shard = i;
            shards = n;
          },
          "Only part I of N of the examples; fp8q merge joins the parts")
      ->type_name("I/N");
}

void add_examples_option(CLI::App& command, size_t& examples, const char* help) {
  command.add_option("--examples", examples, help)
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->capture_default_str();
}

void add_tokenizer_options(CLI::App& command, std::optional<std::filesystem::path>& tokenizer,
                           std::optional<std::filesystem::path>& config) {
  command
      .add_option("--tokenizer", tokenizer,
                  "tokenizer.json, vocab.txt or vocab.json (default: beside the model)")
      ->type_name("FILE");
  command.add_option("--config", config, "config.json (default: beside the model)")
      ->type_name("FILE");
}

}  // namespace fp8q::cli
