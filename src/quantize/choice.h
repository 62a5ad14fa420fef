// Changes to a PlanRequest: "these Sites, that way". Written on the command line as
// `PATTERN=[FORMAT][@GRANULARITY][:OBSERVER[:PARAMETER]]` and in plan files as one object a line.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/request.h"

namespace fp8q {

struct SiteChoice {
  // A path, or a pattern for fnmatch(3): * ? [...], where * also passes "/".
  std::string pattern;
  // What is not given stays as it was.
  struct Wanted {
    std::optional<Format> format;  // nullopt: floating point
  };
  std::optional<Wanted> wanted;
  std::optional<Granularity> granularity;
  std::optional<ObserverChoice> observer;
  std::string reason;
  std::string origin;  // where it stands, for messages: "--site 'layer.0/*=float'"
};

// "layer.5/ffn.output/*=float", "*/weight=int8@tensor", "layer.*/query=:percentile:99.99". The
// reason is the text itself. Error (usage) that shows the text.
SiteChoice parse_site_choice(std::string_view text);

// Applies choices in their order, so that the last one that matches a Site decides. A pattern that
// matches operands of products leaves other values alone that are in floating point. Error (usage):
// a pattern that matches no Site (near paths are named), a granularity or observer that the
// matching Sites cannot have.
void apply_choices(std::span<const SiteChoice> choices, const std::vector<Site>& sites,
                   PlanRequest& request);

// "float" or the name of the format.
std::string_view name_of(const std::optional<Format>& format);

// Error (usage) beginning with `where`.
SiteChoice::Wanted parse_format(std::string_view text, const std::string& where);
Granularity parse_granularity(std::string_view text, const std::string& where);

}  // namespace fp8q
