// Scores with their intervals, and differences from the baseline with theirs.
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/score_text.h"
#include "report/section.h"

namespace fp8q {
namespace {

using nlohmann::json;

std::string file_name(const json& model) {
  return fs::path(model.at("path").get<std::string>()).filename().string();
}

std::string megabytes(const json& bytes) {
  return fmt::format("{:.1f}", bytes.get<double>() / 1e6);
}

std::string metrics_text(const json& scores) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : scores.at("metrics").items())
    parts.push_back(fmt::format("{} {:.4f}", escape(name), value.get<double>()));
  return fmt::format("{}", fmt::join(parts, "<br>"));
}

struct Tables {
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::vector<IntervalRow>> scores;  // by task
  std::vector<IntervalRow> differences;
  std::map<std::string, int> series;  // colour by format
  std::set<std::string> seen;         // data and model
};

// What was scored: results of different data are no repetitions of each other.
std::string task_text(const json& r) {
  return fmt::format("{} {} ({})", r.at("task").get<std::string>(),
                     r.at("split").get<std::string>(), r.at("examples").get<uint64_t>());
}

void add_scores(Tables& tables, const json& scores, const json& r, const json* difference) {
  const json& model = scores.at("model");
  const std::string task = task_text(r);
  const std::string key =
      fmt::format("{}\n{}\n{}", task, r.at("data").at("sha256").dump(), model.at("sha256").dump());
  if (!tables.seen.insert(key).second) return;
  const auto format = scores.at("format").get<std::string>();
  const int series =
      tables.series.emplace(format, static_cast<int>(tables.series.size() % 6)).first->second;
  const json& ci = scores.at("ci95");
  tables.scores[task].push_back({format, scores.at("score").get<double>(), ci.at(0).get<double>(),
                                 ci.at(1).get<double>(), score_text(scores), series});
  std::vector<std::string> row = {escape(task),
                                  escape(format),
                                  "<code>" + escape(file_name(model)) + "</code>",
                                  megabytes(model.at("bytes")),
                                  metrics_text(scores),
                                  score_text(scores),
                                  "",
                                  "",
                                  "",
                                  fmt::format("{:.0f}", scores.at("examples_per_s").get<double>())};
  if (difference) {
    row[6] = difference_text(*difference);
    row[7] = fmt::format("{:.3g}", difference->at("p_value").get<double>());
    const json& flips = difference->at("flips");  // null: answers are numbers
    row[8] = flips.is_null() ? "" : fmt::format("{}", flips.get<uint64_t>());
    const json& interval = difference->at("ci95");
    tables.differences.push_back({task + " " + format, difference->at("score").get<double>(),
                                  interval.at(0).get<double>(), interval.at(1).get<double>(),
                                  difference_text(*difference), series});
  }
  tables.rows.push_back(std::move(row));
}

}  // namespace

std::string section_eval(const SectionInput& input) {
  Tables tables;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    if (r.contains("baseline")) add_scores(tables, r["baseline"], r, nullptr);
    add_scores(tables, r, r, r.contains("difference") ? &r["difference"] : nullptr);
  }
  std::string content = html_table({"task, split (examples)", "format", "model", ">MB", "metrics",
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
  return html_section("Accuracy", "What each model scores, and whether quantising it changed that.",
                      content);
}

}  // namespace fp8q
