// Where the program's words go: results to standard output (a table, or JSON with --json -),
// progress and log to standard error.
#pragma once

#include <string>
#include <vector>

#include "fp8q/common.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

// Sets up the log. Standard error gets errors, with --verbose the steps too; --log-file gets all of
// that and the printed results, with times.
void set_up_log(const Globals& globals);

// A bar where standard error is a terminal; otherwise a line of the log per step.
ProgressCallback make_progress(const Globals& globals);

// True where the table for people goes to standard output.
bool prints_table(const Globals& globals);

// Prints `table` unless standard output is taken by JSON or --quiet was given.
void print(const Globals& globals, const std::string& table);
void print_notes(const Globals& globals, const std::vector<std::string>& notes);

// Whether --json may write its file; called before the work. Error (usage): the file is one of
// `others`, the inputs and outputs of the command. Error (file): it exists and holds something else
// than results of fp8q.
void check_json_target(const Globals& globals, const std::vector<fs::path>& others);

// Writes results of the command (report/json.h) where --json says, several as a list, and keeps
// them for a report where there is a workspace.
void write_json(const Globals& globals, const std::vector<std::string>& results);
void write_json(const Globals& globals, const std::string& result);

}  // namespace fp8q::cli
