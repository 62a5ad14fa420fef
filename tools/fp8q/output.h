// Directs the program's output. Results go to standard output (a table, or JSON with --json -), and
// progress and log go to standard error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fp8q/common.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

// Sets up the log. Standard error gets errors, and with --verbose also the steps. --log-file gets
// all of these and the printed results, with times.
void set_up_log(const Globals& globals);

// Write one line to the log, made printable and cut where it is very long.
void log_error(std::string_view message);
void log_info(std::string_view message);
void log_out_of_memory();  // takes no memory

// Returns lines that hold nothing but printable characters.
std::string printable_lines(std::string_view lines);

// Makes a progress bar if standard error is a terminal, or else logs one line per step.
ProgressCallback make_progress(const Globals& globals);

// Returns whether the table for people goes to standard output.
bool prints_table(const Globals& globals);

// Print to standard output unless it is taken by JSON or --quiet was given. What is not printable
// is escaped; a note is one line.
void print(const Globals& globals, const std::string& table);
void print_notes(const Globals& globals, const std::vector<std::string>& notes);

// Checks, before the work, the files of the command together with those of --json and --log-file.
// Throws an Error (usage) if an output is an input or another output. Throws an Error (file) if the
// file of --json exists and does not hold results of fp8q.
void check_outputs(const Globals& globals, CallFiles files);

// Writes results of the command (report/json.h) to the file of --json, several as a list, and keeps
// them for a report if there is a workspace.
void write_json(const Globals& globals, const std::vector<std::string>& results);
void write_json(const Globals& globals, const std::string& result);

}  // namespace fp8q::cli
