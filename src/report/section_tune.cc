// Shows the steps to a mixture of formats that keeps the score.
#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/score_text.h"
#include "report/section.h"

namespace fp8q {
namespace {

using json::Value;

Html path_chart(const Value& r) {
  std::vector<IntervalRow> rows;
  const auto chosen = r["chosen"].unless_null();
  for (const Value& e : r["evaluations"].items()) {
    const bool is_chosen = chosen && chosen->unsigned_integer() == rows.size();
    const auto fallbacks = e["fallbacks"].unsigned_integer();
    const double difference = e["difference"].number();
    rows.push_back(
        {fallbacks == 0 ? r["recipe"].string() : fmt::format("{} fallbacks", fallbacks), difference,
         e["interval"].at(0).number(), e["interval"].at(1).number(),
         fmt::format("{:+.2f}, {} Sites quantized{}", difference,
                     e["quantised_sites"].unsigned_integer(), is_chosen ? ", chosen" : ""),
         e["meets"].boolean() ? 0 : 1});
  }
  return interval_chart(rows, -r["allowed_drop"].number());
}

Html fallbacks_table(const Value& fallbacks) {
  std::vector<std::vector<Html>> rows;
  for (const Value& f : fallbacks.items())
    rows.push_back(
        {code(f["unit"].string()), f["from"].string(), f["to"].string(), f["reason"].string()});
  return html_table({"falls back", "from", "to", "why"}, rows);
}

Html holdout_table(const Value& holdout, const std::string& recipe) {
  std::vector<std::vector<Html>> rows;
  for (const auto& [key, name] : {std::pair<const char*, std::string>("float", "float"),
                                  {"recipe", recipe},
                                  {"tuned", "plan"}}) {
    const Value m = holdout[key];
    rows.push_back({name, score_text(m), "", ""});
    const auto d = m.find("difference");
    if (!d) continue;
    rows.back()[2] = difference_text(*d);
    rows.back()[3] = fmt::format("{:.3g}", (*d)["p_value"].number());
  }
  return html_table({fmt::format("on {} examples held out from the search",
                                 holdout["examples"].unsigned_integer()),
                     ">score", ">difference", ">p"},
                    rows);
}

}  // namespace

Html section_tune(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    const auto confidence = r["confidence"].unless_null();
    content += html_figure(
        fmt::format("{} on {}: plans that were scored", r["recipe"].string(), r["task"].string()),
        path_chart(r),
        fmt::format("Difference to the float model ({:.2f} points) on {} examples of {} with its "
                    "{:g} % interval; the line is the allowed drop. The plan was chosen by these "
                    "very scores, which flatters it.",
                    r["baseline_score"].number(), r["examples"].unsigned_integer(),
                    r["split"].string(), 100 * (confidence ? confidence->number() : 0.95)));
    if (r["chosen"].is_null()) content += html("<p>No plan meets the demand.</p>");
    else content += fallbacks_table(r["fallbacks"]);
    if (const auto holdout = r.find("holdout"))
      content += holdout_table(*holdout, r["recipe"].string());
  }
  return html_section("Tuning", "Which Sites must leave the recipe's format to keep the score.",
                      content);
}

}  // namespace fp8q
