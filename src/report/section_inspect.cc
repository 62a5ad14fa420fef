// Shows what a model is.
#include "base/error.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {

Html section_inspect(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const json::Value& r = file->json;
    std::vector<std::vector<Html>> rows = {
        {"file", code(r["model"]["path"].string())},
        {"size", fmt::format("{:.1f} MB", r["model"]["bytes"].number() / 1e6)},
        {"parameters", fmt::format("{:.1f} M", r["parameters"].number() / 1e6)},
        {"opset", fmt::format("{}", r["opset"].integer())},
        {"quantization", r["quantization"].string()},
        {"runs on", r["engine"].string()}};
    if (const auto architecture = r.find("architecture"))
      for (const auto& [key, value] : architecture->members())
        rows.push_back({key, value.string()});
    content += html_table({"model", ""}, rows);
  }
  return html_section("Models", "What the files hold.", content);
}

}  // namespace fp8q
