// Reads data sets. The first byte chooses the task, the second chooses a table, JSON lines or plain
// text, and the rest is the file. Span tasks read SQuAD's JSON.
#include <algorithm>
#include <vector>

#include "tasks/squad_reader.h"
#include "tasks/task_data.h"
#include "tasks/task_reader.h"
#include "tasks/user_task.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

void check(const Task& task, const Dataset& data, size_t bytes) {
  require(data.examples.size() <= bytes, "more examples than bytes");
  for (const Example& example : data.examples) {
    require(example.text.size() <= bytes, "a text longer than the file");
    if (data.labeled && !task.classes.empty())
      require(example.gold >= 0 && example.gold < static_cast<double>(task.classes.size()),
              "a label outside the classes");
    if (data.labeled && task.is_regression())
      require(example.gold == example.gold, "a label that is not a number");
  }
}

std::vector<Task> every_task() {
  std::vector<Task> tasks(all_tasks().begin(), all_tasks().end());
  for (const size_t outputs : {1, 2, 3})
    tasks.push_back(make_user_task({.pair_column = outputs == 2 ? "pair" : ""}, {}, outputs));
  tasks.push_back(make_user_text({}));
  return tasks;
}

void read_plain_text(std::string_view content) {
  static const TemporaryFolder folder;
  const auto file = folder.write("text.txt", std::string(content));
  const Dataset data = load_calibration_text({.data = file, .count = 16});
  require(data.examples.size() <= 16, "more examples than requested");
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q;
  using namespace fp8q::test;
  static const std::vector<Task> tasks = every_task();
  ByteSource bytes(data, size);
  const Task& task = bytes.one_of(tasks);
  const size_t layout = bytes.below(3);
  const std::string_view content = bytes.rest();
  succeeds([&] {
    if (layout == 2) return read_plain_text(content);
    const bool spans = task.kind == TaskKind::spans;
    const Dataset read = spans         ? read_squad(task, "data.json", std::string(content))
                         : layout == 0 ? read_task_table(task, "data.tsv", content)
                                       : read_task_lines(task, "data.jsonl", content);
    check(task, read, content.size());
  });
  return 0;
}
