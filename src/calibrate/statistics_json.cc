// The statistics file is sealed (json/sealed.h) and has a line per Site.
#include <unordered_set>

#include "base/error.h"
#include "calibrate/site_json.h"
#include "calibrate/statistics.h"
#include "json/sealed.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr std::string_view kSchema = "fp8q/statistics/1";
constexpr json::Kind kKind{
    .what = "a statistics file",
    .remedy = "the file is damaged or was changed by hand: run fp8q calibrate again"};

// Every part of the content is written in this form.
constexpr json::Style kCanonical{
    .sorted = true,
    .not_utf8 =
        "a name of the model or of the data is not UTF-8, so statistics cannot be stored: "
        "rename it"};

Tree provenance_to_json(const Provenance& p) {
  return {{"version", p.version},
          {"model", {{"name", p.model_name}, {"sha256", p.model_sha256}}},
          {"tokenizer", {{"sha256", p.tokenizer_sha256}}},
          {"data",
           {{"path", p.data_path},
            {"sha256", p.data_sha256},
            {"builtin", p.builtin_data},
            {"random", p.random_data},
            {"task", p.task}}},
          {"max_length", p.max_length},
          {"seed", p.seed},
          {"examples", p.examples},
          {"tokens", p.tokens}};
}

Provenance provenance_from_json(const Value& field) {
  field.with_members(8);
  const Value model = field["model"].with_members(2);
  const Value data = field["data"].with_members(5);
  return {.version = field["version"].string(),
          .model_name = model["name"].string(),
          .model_sha256 = model["sha256"].string(),
          .tokenizer_sha256 = field["tokenizer"].with_members(1)["sha256"].string(),
          .data_path = data["path"].string(),
          .data_sha256 = data["sha256"].string(),
          .builtin_data = data["builtin"].boolean(),
          .random_data = data["random"].boolean(),
          .task = data["task"].string(),
          .max_length = field["max_length"].integer(0),
          .seed = field["seed"].unsigned_integer(UINT64_MAX),
          .examples = field["examples"].integer(0),
          .tokens = field["tokens"].integer(0)};
}

}  // namespace

std::string to_json(const Statistics& statistics) {
  std::string sites;
  std::string lines;
  for (const SiteRecord& site : statistics.sites) {
    const std::string text = site_to_json(site).text(kCanonical);
    sites += (sites.empty() ? "" : ",") + text;
    lines += (lines.empty() ? "\n" : ",\n") + text;
  }
  const std::string part =
      statistics.part.whole() ? std::string()
                              : "\"part\":" + json::to_json(statistics.part).text(kCanonical) + ",";
  const std::string provenance = provenance_to_json(statistics.provenance).text(kCanonical);
  const std::string head = "{" + part + "\"provenance\":" + provenance + ",\"sites\":[";
  return json::seal(kSchema, head + sites + "]}", head + lines + "\n]}");
}

Statistics statistics_from_json(std::string_view bytes, const std::string& source) {
  const json::Document file = json::unseal(bytes, source, kSchema, kKind);
  const Value content = file.root()["content"];
  const bool whole = !content.has("part");
  content.with_members(whole ? 2 : 3);
  Statistics statistics;
  statistics.provenance = provenance_from_json(content["provenance"]);
  if (!whole) {
    statistics.part = json::part_from_json(content["part"], statistics.provenance.examples);
    if (statistics.part.whole()) content["part"].reject("is all of it");
  }
  const Value sites = content["sites"];
  if (sites.size() > kMaxStatisticsSites)
    fail(ErrorCode::limit, "{}: has {} Sites, at most {} are accepted", sites.where(), sites.size(),
         kMaxStatisticsSites);
  std::unordered_set<std::string> values;
  for (size_t i = 0; i < sites.size(); ++i) {
    statistics.sites.push_back(site_from_json(sites.at(i)));
    if (!values.insert(statistics.sites.back().value).second)
      sites.at(i)["value"].reject("occurs more than once");
  }
  return statistics;
}

}  // namespace fp8q
