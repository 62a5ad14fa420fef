#include "base/control_groups.h"

#include <fstream>
#include <sstream>

namespace fp8q {
namespace {

namespace fs = std::filesystem;

// Returns whether a list such as "cpu,cpuacct" names the controller.
bool names(const std::string& controllers, std::string_view controller) {
  std::istringstream list(controllers);
  for (std::string one; std::getline(list, one, ',');)
    if (one == controller) return true;
  return false;
}

}  // namespace

ControlGroups ControlGroups::of_this_process() {
  return {text_of("/proc/self/cgroup"), "/sys/fs/cgroup"};
}

void for_each_control_group(const ControlGroups& groups, std::string_view controller,
                            const std::function<void(const fs::path& folder)>& visit) {
  std::istringstream lines(groups.text);
  // A line is "number:controllers:/path". Version 2 has number 0 and no controllers.
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const bool version_2 = second == first + 1;
    if (!version_2 && !names(line.substr(first + 1, second - first - 1), controller)) continue;
    const fs::path mount = version_2 ? groups.root : groups.root / controller;
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    while (true) {
      visit(mount / group);
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace fp8q
