// Shows scores with their intervals, and differences from the baseline with their intervals.
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/score_text.h"
#include "report/section.h"

namespace fp8q {
namespace {

using json::Value;

std::string file_name(const Value& model) {
  return fs::path(model["path"].string()).filename().string();
}

std::string megabytes(const Value& bytes) { return fmt::format("{:.1f}", bytes.number() / 1e6); }

Html metrics_text(const Value& scores) {
  Html lines;
  for (const auto& [name, value] : scores["metrics"].members())
    lines +=
        html("{}{} {:.4f}", lines.markup().empty() ? Html() : html("<br>"), name, value.number());
  return lines;
}

struct Tables {
  std::vector<std::vector<Html>> rows;
  std::map<std::string, std::vector<IntervalRow>> scores;  // by task
  std::vector<IntervalRow> differences;
  std::map<std::string, int> series;  // color by format
  std::set<std::string> seen;         // data and model
};

// Returns what was scored. Results on different data are not repetitions of each other.
std::string task_text(const Value& r) {
  return fmt::format("{} {} ({})", r["task"].string(), r["split"].string(),
                     r["examples"].unsigned_integer());
}

void add_scores(Tables& tables, const Value& scores, const Value& r,
                const std::optional<Value>& difference) {
  const Value model = scores["model"];
  const std::string task = task_text(r);
  const std::string key =
      fmt::format("{}\n{}\n{}", task, r["data"]["sha256"].dump(), model["sha256"].dump());
  if (!tables.seen.insert(key).second) return;
  const auto format = scores["format"].string();
  const int series =
      tables.series.emplace(format, static_cast<int>(tables.series.size() % 6)).first->second;
  const Value ci = scores["ci95"];
  tables.scores[task].push_back({format, scores["score"].number(), ci.at(0).number(),
                                 ci.at(1).number(), score_text(scores), series});
  std::vector<Html> row = {task,
                           format,
                           code(file_name(model)),
                           megabytes(model["bytes"]),
                           metrics_text(scores),
                           score_text(scores),
                           "",
                           "",
                           "",
                           fmt::format("{:.0f}", scores["examples_per_s"].number())};
  if (difference) {
    row[6] = difference_text(*difference);
    row[7] = fmt::format("{:.3g}", (*difference)["p_value"].number());
    const auto flips = (*difference)["flips"].unless_null();  // null: answers are numbers
    row[8] = flips ? fmt::format("{}", flips->unsigned_integer()) : "";
    const Value interval = (*difference)["ci95"];
    tables.differences.push_back({task + " " + format, (*difference)["score"].number(),
                                  interval.at(0).number(), interval.at(1).number(),
                                  difference_text(*difference), series});
  }
  tables.rows.push_back(std::move(row));
}

}  // namespace

Html section_eval(const SectionInput& input) {
  Tables tables;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    if (const auto baseline = r.find("baseline")) add_scores(tables, *baseline, r, std::nullopt);
    add_scores(tables, r, r, r.find("difference"));
  }
  Html content = html_table({"task, split (examples)", "format", "model", ">MB", "metrics",
                             ">score", ">difference", ">p", ">flips", ">examples/s"},
                            tables.rows);
  for (const auto& [task, rows] : tables.scores)
    content += html_figure(task + ": score", interval_chart(rows, std::nullopt),
                           "Score with its 95 % interval (bootstrap over the examples).");
  if (!tables.differences.empty())
    content += html_figure(
        "Difference from the float model", interval_chart(tables.differences, 0.0),
        "Points of the score, on the same examples, with the 95 % interval. Where it contains "
        "zero, the examples do not show a difference.");
  return html_section("Accuracy", "What each model scores, and whether quantizing it changed that.",
                      content);
}

}  // namespace fp8q
