// A SiteChoice changes a PlanRequest: "these Sites, that way". It is written on the command line as
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
  // The pattern is a path, or a pattern for fnmatch(3): * ? [...], where * also matches "/".
  std::string pattern;
  // Members that are not given leave the request unchanged.
  struct Wanted {
    std::optional<Format> format;  // nullopt: floating point
  };
  std::optional<Wanted> wanted;
  std::optional<Granularity> granularity;
  std::optional<ObserverChoice> observer;
  std::string reason;
  std::string origin;  // where it was given, for messages: "--site 'layer.0/*=float'"
};

// Parses texts like "layer.5/ffn.output/*=float", "*/weight=int8@tensor" or
// "layer.*/query=:percentile:99.99". The reason is the text itself. Throws an Error (usage) that
// shows the text if it cannot be read.
SiteChoice parse_site_choice(std::string_view text);

// Applies choices in their order, so that the last one that matches a Site decides. A pattern that
// matches operands of products leaves other values in floating point unchanged. Throws an Error
// (usage) if a pattern matches no Site (the message names similar paths), or if the matching Sites
// cannot have a granularity or observer.
void apply_choices(std::span<const SiteChoice> choices, const std::vector<Site>& sites,
                   PlanRequest& request);

// Returns "float" or the name of the format.
std::string_view name_of(const std::optional<Format>& format);

// All throw an Error (usage) that begins with `where`. Only parse_format() accepts "float".
Format require_format(std::string_view text, const std::string& where);
SiteChoice::Wanted parse_format(std::string_view text, const std::string& where);
Granularity parse_granularity(std::string_view text, const std::string& where);

}  // namespace fp8q
