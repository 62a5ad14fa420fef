// Declares the commands of the program, and the options that several of them have.
#pragma once

#include <optional>
#include <string>

#include "fp8q/common.h"
#include "tools/fp8q/command_line.h"

namespace fp8q::cli {

// Holds the options that every command has.
struct Globals {
  std::string json;  // file for the results as JSON; "-" is standard output
  fs::path log_file;
  bool quiet = false;
  bool verbose = false;
};

void add_inspect(CommandLine& program, Globals& globals);
void add_calibrate(CommandLine& program, Globals& globals);
void add_merge(CommandLine& program, Globals& globals);
void add_convert(CommandLine& program, Globals& globals);
void add_eval(CommandLine& program, Globals& globals);
void add_bench(CommandLine& program, Globals& globals);
void add_report(CommandLine& program, Globals& globals);
void add_compare(CommandLine& program, Globals& globals);
void add_sensitivity(CommandLine& program, Globals& globals);
void add_tune(CommandLine& program, Globals& globals);

// Adds all of these, in the order of the program's help.
void add_commands(CommandLine& program, Globals& globals);

// Adds --json, --quiet, --verbose and --log-file.
void add_global_options(Command& command, Globals& globals);

// Adds --max-memory, for commands that load a model.
void add_memory_option(Command& command);

// Adds --device, --threads, --max-memory and --compute, for commands that run a model, and returns
// the last one.
Option add_device_options(Command& command, ExecutionOptions& execution);

// Adds --gelu, for commands whose results may change with it.
void add_gelu_option(Command& command, ExecutionOptions& execution);

// Adds the options of add_device_options(), --batch and --reference, for commands that run text
// through a model.
void add_execution_options(Command& command, ExecutionOptions& execution);

// Adds --shard I/N, which selects part I of N of the examples.
Option add_shard_option(Command& command, size_t& shard, size_t& shards);

// Adds --examples, the amount of text, for commands that run text without scoring it.
void add_examples_option(Command& command, size_t& examples, const char* help);

// Adds --tokenizer and --config.
void add_tokenizer_options(Command& command, std::optional<fs::path>& tokenizer,
                           std::optional<fs::path>& config);

}  // namespace fp8q::cli
