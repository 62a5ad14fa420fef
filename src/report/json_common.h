// What the results of all commands have in common. Internal to the writers of JSON.
#pragma once

#include "fp8q/common.h"
#include "json/tree.h"

namespace fp8q {

using json::Tree;

Tree json_of(const FileFacts& file);
Tree json_of(const std::optional<FileFacts>& file);
Tree json_of(const DataFacts& data);
// "schema", "version", "command", "model".
Tree header(const char* command, const std::optional<FileFacts>& model);
// "device", "engine", "threads", "elapsed_s", "peak_rss_bytes".
void add(Tree& json, const ExecutionFacts& execution);
// What a text says; null where it is empty.
Tree unless_empty(const std::string& text);
// As --json writes it.
std::string as_text(const Tree& json);

}  // namespace fp8q
