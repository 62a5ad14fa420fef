#include "tools/fp8q/eval_output.h"

#include <algorithm>

#include "base/error.h"
#include "report/json.h"
#include "tools/fp8q/eval_tables.h"
#include "tools/fp8q/output.h"

namespace fp8q::cli {
namespace {

void check_gate(const std::vector<EvaluateResult>& results, double max_drop) {
  for (const auto& r : results) {
    if (!r.difference)
      fail(ErrorCode::usage,
           "--max-drop needs a baseline to compare {} with; give --baseline MODEL",
           r.scores.model.path.string());
    if (r.difference->score < -max_drop)
      fail(ErrorCode::accuracy_gate, "{}: the score fell by {:.2f} points, more than --max-drop {}",
           r.scores.model.path.string(), -r.difference->score, max_drop);
  }
}

}  // namespace

const Option* EvalOutput::given() const {
  const auto found = std::ranges::find_if(options, &Option::given);
  return found == options.end() ? nullptr : &*found;
}

Option add_eval_output_options(Command& command, EvalOutput& output) {
  output.options = {
      command
          .option("--max-drop", &output.max_drop,
                  "Exit with 1 where the score falls by more points than this")
          .not_negative()
          .type_name("POINTS"),
      command
          .option("--predictions", &output.predictions, "Write each example's answer (JSON lines)")
          .type_name("FILE"),
      command.flag("--kernels", &output.list_kernels, "List the kernel each Site runs with"),
      command.flag("--flips", &output.list_flips,
                   "List the examples whose answer differs from the baseline's")};
  return output.options.front();
}

void put_out(const std::vector<EvaluateResult>& results, const EvalOutput& output,
             const Globals& globals) {
  print(globals, scores_table(results));
  if (output.list_kernels)
    for (const auto& r : results) print(globals, kernels_table(r));
  if (output.list_flips)
    for (const auto& r : results) print(globals, flips_table(r));
  for (const auto& r : results) print_notes(globals, r.notes);
  std::vector<std::string> texts;
  for (const auto& r : results) texts.push_back(to_json(r));
  write_json(globals, texts);
  if (output.max_drop) check_gate(results, *output.max_drop);
}

}  // namespace fp8q::cli
