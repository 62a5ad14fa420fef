// Gives the names by which results refer to Sites.
#pragma once

#include <string>
#include <string_view>

#include "graph/site.h"

namespace fp8q {

std::string_view name_of(SiteKind kind);  // "activation", "weight"

// Returns the path without its layer: "layer.3/ffn.output/input" is "ffn.output/input".
std::string role_in_path(const std::string& path);

// Returns "float", or the format found in the graph.
std::string format_name(const Site& site);

}  // namespace fp8q
