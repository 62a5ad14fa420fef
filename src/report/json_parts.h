// What the results of all commands have in common. Internal to the writers of JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "fp8q/common.h"

namespace fp8q {

using Json = nlohmann::ordered_json;

Json json_of(const FileFacts& file);
Json json_of(const std::optional<FileFacts>& file);
Json json_of(const DataFacts& data);
// "schema", "version", "command", "model".
Json header(const char* command, const std::optional<FileFacts>& model);
// "device", "engine", "threads", "elapsed_s", "peak_rss_bytes".
void add(Json& json, const ExecutionFacts& execution);

}  // namespace fp8q
