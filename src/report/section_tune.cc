// The way to a mixture of formats that keeps the score.
#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/score_text.h"
#include "report/section.h"

namespace fp8q {
namespace {

using nlohmann::json;

std::string path_chart(const json& r) {
  std::vector<IntervalRow> rows;
  for (size_t i = 0; i < r.at("evaluations").size(); ++i) {
    const json& e = r.at("evaluations")[i];
    const bool chosen = r.at("chosen") == i;
    const auto fallbacks = e.at("fallbacks").get<size_t>();
    const double difference = e.at("difference").get<double>();
    rows.push_back({fallbacks == 0 ? r.at("recipe").get<std::string>()
                                   : fmt::format("{} fallbacks", fallbacks),
                    difference, e.at("interval").at(0).get<double>(),
                    e.at("interval").at(1).get<double>(),
                    fmt::format("{:+.2f}, {} Sites quantised{}", difference,
                                e.at("quantised_sites").get<size_t>(), chosen ? ", chosen" : ""),
                    e.at("meets").get<bool>() ? 0 : 1});
  }
  return interval_chart(rows, -r.at("allowed_drop").get<double>());
}

std::string fallbacks_table(const json& fallbacks) {
  std::vector<std::vector<std::string>> rows;
  for (const json& f : fallbacks)
    rows.push_back({"<code>" + escape(f.at("unit").get<std::string>()) + "</code>",
                    escape(f.at("from").get<std::string>()), escape(f.at("to").get<std::string>()),
                    escape(f.at("reason").get<std::string>())});
  return html_table({"falls back", "from", "to", "why"}, rows);
}

std::string holdout_table(const json& r) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, name] : {std::pair<const char*, std::string>("float", "float"),
                                  {"recipe", r.at("recipe").get<std::string>()},
                                  {"tuned", "plan"}}) {
    const json& m = r["holdout"].at(key);
    rows.push_back({escape(name), score_text(m), "", ""});
    if (!m.contains("difference")) continue;
    const json& d = m["difference"];
    rows.back()[2] = difference_text(d);
    rows.back()[3] = fmt::format("{:.3g}", d.at("p_value").get<double>());
  }
  return html_table({fmt::format("on {} examples held out from the search",
                                 r["holdout"].at("examples").get<size_t>()),
                     ">score", ">difference", ">p"},
                    rows);
}

}  // namespace

std::string section_tune(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    content += html_figure(
        fmt::format("{} on {}: plans that were scored", r.at("recipe").get<std::string>(),
                    r.at("task").get<std::string>()),
        path_chart(r),
        fmt::format("Difference to the float model ({:.2f} points) on {} examples of {} with its "
                    "{:g} % interval; the line is the allowed drop. The plan was chosen by these "
                    "very scores, which flatters it.",
                    r.at("baseline_score").get<double>(), r.at("examples").get<size_t>(),
                    r.at("split").get<std::string>(),
                    100 * (r.at("confidence").is_null() ? 0.95 : r["confidence"].get<double>())));
    if (r.at("chosen").is_null()) content += "<p>No plan meets the demand.</p>";
    else content += fallbacks_table(r.at("fallbacks"));
    if (r.contains("holdout") && !r["holdout"].is_null()) content += holdout_table(r);
  }
  return html_section("Tuning", "Which Sites must leave the recipe's format to keep the score.",
                      content);
}

}  // namespace fp8q
