// The workspace file: what was made last in the current folder, so that the next command finds it.
//
// A convenience only. Every path can be given explicitly, and then no workspace is read. Paths
// below the current folder are stored relative to it, so a folder can be moved as a whole.
#pragma once

#include <optional>
#include <string>

#include "fp8q/common.h"

namespace fp8q::cli {

struct Workspace {
  fs::path model;  // of the last calibration
  fs::path statistics;
  fs::path converted;  // empty before the first conversion

  // .fp8q/workspace.json in the current folder; nullopt where there is none. Error (bad_data) where
  // it is damaged.
  static std::optional<Workspace> load();
  void save() const;
};

// Where the last result of each command and model is kept while the folder has a workspace, for
// `fp8q report`.
fs::path results_folder();
// Replaces the one of the same command, task and model by this text (report/json.h). A shard has no
// result to keep. Where it cannot be written it is not kept, and the command goes on.
void keep_result(const std::string& result);
// A new calibration: what was kept belongs to the old one.
void forget_results();

// The workspace, or an error that names `command` and says what to type.
Workspace require_workspace(const char* command);

}  // namespace fp8q::cli
