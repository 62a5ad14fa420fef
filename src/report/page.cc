#include "report/page.h"

#include "base/error.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {

extern const std::string_view kReportStyle;  // page.css

namespace {

constexpr std::string_view kGenerator = "<meta name=\"generator\" content=\"fp8q ";

// Lists the inputs of the page: file, command, and the model that it is about.
Html sources_table(const std::vector<ResultFile>& results) {
  std::vector<std::vector<Html>> rows;
  for (const ResultFile& r : results) {
    std::string model;
    if (r.statistics) model = r.statistics->provenance.model_name;
    else if (const auto facts = r.json.find("model"); facts && facts->is_object())
      model = facts->string_or("path", "");
    rows.push_back({code(r.path.string()), r.schema, model});
  }
  return html_section("Sources", "The files this page was made from.",
                      html_table({"file", "holds", "model"}, rows));
}

using Section = Html (*)(const SectionInput&);

}  // namespace

std::string report_page(const std::vector<ResultFile>& results, const PageSettings& settings) {
  Html page = html(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "{0}{1}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{2}</title>\n<style>\n{3}</style>\n</head>\n<body>\n<h1>{2}</h1>\n",
      Html::of_program(kGenerator), settings.version, settings.title,
      Html::of_program(kReportStyle));
  const auto add = [&](std::string_view schema, Section section) {
    SectionInput input{{}, settings.sites};
    for (const ResultFile& r : results)
      if (r.schema == schema) input.files.push_back(&r);
    if (!input.files.empty()) page += section(input);
  };
#define FP8Q_SECTION(schema) add(#schema, section_##schema);
#include "report/sections.def"
#undef FP8Q_SECTION
  page += sources_table(results);
  return (page + html("</body>\n</html>\n")).markup();
}

bool is_report_page(std::string_view bytes) {
  return bytes.substr(0, 512).find(kGenerator) != std::string_view::npos;
}

}  // namespace fp8q
