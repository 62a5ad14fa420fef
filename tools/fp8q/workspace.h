// The workspace file records what was made last in the current folder, so that the next command
// finds it.
//
// It is only a convenience. Every path can be given explicitly, and then no workspace is read.
// Paths below the current folder are stored relative to it, so a folder can be moved as a whole.
#pragma once

#include <optional>
#include <string>

#include "fp8q/common.h"

namespace fp8q::cli {

struct Workspace {
  fs::path model;  // model of the last calibration
  fs::path statistics;
  fs::path converted;  // empty before the first conversion

  // Reads .fp8q/workspace.json in the current folder. Returns nullopt if there is none, and throws
  // an Error (bad_data) if it is damaged.
  static std::optional<Workspace> load();
  void save() const;
};

// Returns the folder that keeps the last result of each command and model for `fp8q report`, while
// the current folder has a workspace.
fs::path results_folder();
// Replaces the result of the same command, task and model by this text (report/json.h). A shard has
// no result to keep. If the result cannot be written it is not kept, and the command continues.
void keep_result(const std::string& result);
// Removes the kept results. Call it for a new calibration, because they belong to the old one.
void forget_results();

// Returns the workspace, or throws an Error that names `command` and says what to type.
Workspace require_workspace(const char* command);

}  // namespace fp8q::cli
