// Where the program's words go: results to standard output (a table, or JSON with --json -),
// progress and log to standard error.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "fp8q/common.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

// Sets up the log: warnings on standard error, more with --verbose, none with --quiet; everything
// to --log-file.
void set_up_log(const Globals& globals);

// A bar on a terminal; otherwise nothing, or a line per step with --verbose.
ProgressCallback make_progress(const Globals& globals);

// True where the table for people goes to standard output.
bool prints_table(const Globals& globals);

// Prints `table` unless standard output is taken by JSON or --quiet was given.
void print(const Globals& globals, const std::string& table);
void print_notes(const Globals& globals, const std::vector<std::string>& notes);

// Writes the results where --json says; does nothing without --json.
void write_json(const Globals& globals, const nlohmann::ordered_json& json);

// Refuses to overwrite one of the `inputs` with the --json file.
void check_json_target(const Globals& globals, const std::vector<fs::path>& inputs);

}  // namespace fp8q::cli
