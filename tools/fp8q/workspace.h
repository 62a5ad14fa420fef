// The workspace file records what was made last in the current folder, so that the next command
// finds it.
//
// It is only a convenience. Every path can be given explicitly, and then no workspace is read.
// Paths below the current folder are stored relative to it, so a folder can be moved as a whole.
//
// A folder may come from somebody else, and its workspace with it. So links are not followed,
// neither ".fp8q" itself nor what is in it. Only results that fp8q wrote are removed. What the
// workspace names is read like a file that the user names, but what lies outside the current folder
// is never replaced because of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fp8q/common.h"

namespace fp8q::cli {

struct Workspace {
  fs::path model;  // model of the last calibration
  fs::path statistics;
  fs::path converted;  // empty before the first conversion

  // Reads .fp8q/workspace.json in the current folder. Returns nullopt if there is none. Throws an
  // Error (bad_data) if it is damaged, or an Error (file) if a link leads to it.
  static std::optional<Workspace> load();
  void save() const;
};

// Returns the files that keep the last result of each command and model for `fp8q report`.
std::vector<fs::path> kept_results();
// Replaces the result of the same command, task and model by this text (report/json.h) while the
// current folder has a workspace. A shard has no result to keep. If the result cannot be written it
// is not kept, and the command continues.
void keep_result(const std::string& result);
// Removes the kept results, and nothing else. Call it for a new calibration, because they belong to
// the old one.
void forget_results();

// Returns whether the folder of the file is the current one or below it, links resolved.
bool is_below_this_folder(const fs::path& file);

// Returns the workspace, or throws an Error that names `command` and says what to type.
Workspace require_workspace(const char* command);

}  // namespace fp8q::cli
