// The statistics file: sealed (sealed_json.h), with a line per Site.
#include <unordered_set>

#include "base/hash.h"
#include "calibrate/sealed_json.h"
#include "calibrate/site_json.h"
#include "calibrate/statistics.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr SealedKind kKind{
    .schema = "fp8q/statistics/1",
    .what = "a statistics file",
    .remedy = "run fp8q calibrate again",
    .blame = {ErrorCode::bad_data,
              "the file is damaged or was changed by hand: run fp8q calibrate again"},
    .max_depth = 8};  // the deepest member lies at 6

json provenance_to_json(const Provenance& p) {
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

Provenance provenance_from_json(const Field& field) {
  field.with_members(8);
  const Field model = field["model"].with_members(2);
  const Field data = field["data"].with_members(5);
  return {.version = field["version"].string(),
          .model_name = model["name"].string(),
          .model_sha256 = model["sha256"].string(),
          .tokenizer_sha256 = field["tokenizer"].with_members(1)["sha256"].string(),
          .data_path = data["path"].string(),
          .data_sha256 = data["sha256"].string(),
          .builtin_data = data["builtin"].boolean(),
          .random_data = data["random"].boolean(),
          .task = data["task"].string(),
          .max_length = static_cast<int64_t>(field["max_length"].unsigned_integer(INT64_MAX)),
          .seed = field["seed"].unsigned_integer(UINT64_MAX),
          .examples = static_cast<int64_t>(field["examples"].unsigned_integer(INT64_MAX)),
          .tokens = static_cast<int64_t>(field["tokens"].unsigned_integer(INT64_MAX))};
}

std::string dumped(const json& value) {
  try {
    return value.dump();
  } catch (const json::type_error&) {
    fail(ErrorCode::unsupported,
         "a name of the model or of the data is not UTF-8, so statistics cannot be stored: rename "
         "it");
  }
}

}  // namespace

std::string to_json(const Statistics& statistics) {
  const json provenance = provenance_to_json(statistics.provenance);
  std::string sites;
  std::string lines;
  for (const SiteRecord& site : statistics.sites) {
    const std::string text = dumped(site_to_json(site));
    sites += (sites.empty() ? "" : ",") + text;
    lines += (lines.empty() ? "\n" : ",\n") + text;
  }
  const std::string part = statistics.part.whole()
                               ? std::string()
                               : "\"part\":" + dumped(part_to_json(statistics.part)) + ",";
  const std::string head = "{" + part + "\"provenance\":" + dumped(provenance) + ",\"sites\":[";
  return fmt::format("{{\"schema\":\"{}\",\"checksum\":\"{}\",\"content\":\n{}{}\n]}}}}\n",
                     kKind.schema, sha256(head + sites + "]}"), head, lines);
}

Statistics statistics_from_json(std::string_view bytes, const std::string& source) {
  const std::string shown = printable(source);
  const json json_content = unsealed(bytes, shown, kKind);
  const Field content(json_content, shown + ".content", kKind.blame);
  const bool whole = !json_content.is_object() || !json_content.contains("part");
  content.with_members(whole ? 2 : 3);
  Statistics statistics;
  statistics.provenance = provenance_from_json(content["provenance"]);
  if (!whole) {
    statistics.part = part_from_json(content["part"], statistics.provenance.examples);
    if (statistics.part.whole()) content["part"].reject("is all of it");
  }
  const Field sites = content["sites"];
  std::unordered_set<std::string> values;
  for (size_t i = 0; i < sites.size(); ++i) {
    statistics.sites.push_back(site_from_json(sites.at(i)));
    if (!values.insert(statistics.sites.back().value).second)
      sites.at(i)["value"].reject("occurs more than once");
  }
  return statistics;
}

}  // namespace fp8q
