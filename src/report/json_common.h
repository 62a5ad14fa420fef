// Writes what the results of all commands have in common. This header is internal to the writers of
// JSON.
#pragma once

#include "fp8q/common.h"
#include "json/tree.h"

namespace fp8q {

using json::Tree;

Tree json_of(const FileFacts& file);
Tree json_of(const std::optional<FileFacts>& file);
Tree json_of(const DataFacts& data);
// Returns "schema", "version", "command" and "model".
Tree header(const char* command, const std::optional<FileFacts>& model);
// Adds "device", "engine", "threads", "elapsed_s", "peak_rss_bytes" and
// "planned_memory_bytes".
void add(Tree& json, const ExecutionFacts& execution);
// Returns the text, or null if it is empty.
Tree unless_empty(const std::string& text);
// Returns the text that --json writes, which may go to a terminal.
std::string as_text(const Tree& json);

}  // namespace fp8q
