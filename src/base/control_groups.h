// Finds the control groups that limit this process, in both versions of control groups.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace fp8q {

// Names the control groups of a process, and where their files are.
struct ControlGroups {
  std::string text;            // as in /proc/self/cgroup
  std::filesystem::path root;  // where control groups are mounted

  static ControlGroups of_this_process();
};

// Calls visit(folder) for the control groups of `controller` ("cpu", "memory") that the process is
// in, and for those above them, innermost first. `folder` would hold a group's files; in a
// container it may be absent for groups that the container does not see.
void for_each_control_group(const ControlGroups& groups, std::string_view controller,
                            const std::function<void(const std::filesystem::path& folder)>& visit);

// Return the text of a file of the system, or its first line; nothing if it cannot be read.
std::string text_of(const std::filesystem::path& file);
std::string first_line(const std::filesystem::path& file);

}  // namespace fp8q
