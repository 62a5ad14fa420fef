// What a model is.
#include "base/error.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {

std::string section_inspect(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const nlohmann::json& r = file->json;
    std::vector<std::vector<std::string>> rows = {
        {"file", "<code>" + escape(r.at("model").at("path").get<std::string>()) + "</code>"},
        {"size", fmt::format("{:.1f} MB", r.at("model").at("bytes").get<double>() / 1e6)},
        {"parameters", fmt::format("{:.1f} M", r.at("parameters").get<double>() / 1e6)},
        {"opset", fmt::format("{}", r.at("opset").get<int64_t>())},
        {"quantisation", escape(r.at("quantization").get<std::string>())},
        {"runs on", escape(r.at("engine").get<std::string>())}};
    if (const auto it = r.find("architecture"); it != r.end())
      for (const auto& [key, value] : it->items())
        rows.push_back({escape(key), escape(value.get<std::string>())});
    content += html_table({"model", ""}, rows);
  }
  return html_section("Models", "What the files hold.", content);
}

}  // namespace fp8q
