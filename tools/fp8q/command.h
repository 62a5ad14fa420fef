// What every command of the program is made of: its options are declared on a CLI11 subcommand, and
// the action they fill in runs after the whole command line is accepted.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "fp8q/common.h"

namespace fp8q::cli {

// Options every command has.
struct Globals {
  std::string json;  // file for the results as JSON; "-" is standard output
  fs::path log_file;
  bool quiet = false;
  bool verbose = false;
  std::function<void()> action;  // of the command that was given
};

void add_inspect(CLI::App& program, Globals& globals);
void add_calibrate(CLI::App& program, Globals& globals);
void add_merge(CLI::App& program, Globals& globals);
void add_convert(CLI::App& program, Globals& globals);
void add_eval(CLI::App& program, Globals& globals);
void add_bench(CLI::App& program, Globals& globals);
void add_report(CLI::App& program, Globals& globals);
void add_compare(CLI::App& program, Globals& globals);
void add_sensitivity(CLI::App& program, Globals& globals);
void add_tune(CLI::App& program, Globals& globals);

// --json, --quiet, --verbose and --log-file.
void add_global_options(CLI::App& command, Globals& globals);

// --device, --threads and --compute, for commands that run a model; returns the last.
CLI::Option* add_device_options(CLI::App& command, ExecutionOptions& execution);

// --gelu, for commands whose results may change with it.
void add_gelu_option(CLI::App& command, ExecutionOptions& execution);

// Those of add_device_options(), --batch and --reference, for commands that run text through a
// model.
void add_execution_options(CLI::App& command, ExecutionOptions& execution);

// --shard I/N: part I of N of the examples.
CLI::Option* add_shard_option(CLI::App& command, size_t& shard, size_t& shards);

// --examples, how much text is run, for commands that run it without scoring it.
void add_examples_option(CLI::App& command, size_t& examples, const char* help);

// --tokenizer and --config.
void add_tokenizer_options(CLI::App& command, std::optional<fs::path>& tokenizer,
                           std::optional<fs::path>& config);

}  // namespace fp8q::cli
