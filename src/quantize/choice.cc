#include "quantize/choice.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/error.h"

namespace fp8q {
namespace {

constexpr std::string_view kForm = "PATTERN=[FORMAT][@GRANULARITY][:OBSERVER[:PARAMETER]]";

bool is_pattern(const std::string& text) { return text.find_first_of("*?[\\") != text.npos; }

bool matches(const std::string& pattern, const std::string& path) {
  return pattern == path || fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
}

// Returns a few paths that share their last part with the pattern, or else the first paths.
std::string examples(const std::string& pattern, const std::vector<Site>& sites) {
  constexpr size_t kShown = 3;
  const std::string end = pattern.substr(pattern.rfind('/') + 1);
  std::vector<std::string> paths;
  for (const Site& site : sites)
    if (paths.size() < kShown && site.path.ends_with(end)) paths.push_back(printable(site.path));
  for (const Site& site : sites)
    if (paths.size() < kShown && std::ranges::find(paths, site.path) == paths.end())
      paths.push_back(printable(site.path));
  return fmt::format("{}", fmt::join(paths, ", "));
}

// A pattern that matches operands of products applies to no other values, unless the request
// already quantizes them: "layer.2/*=e5m2" must not start to round residual sums.
bool is_meant(const SiteChoice& choice, const std::vector<Site>& sites, size_t i,
              const SiteRequest& request) {
  if (is_operand(sites[i].role) || request.format) return true;
  return std::ranges::none_of(sites, [&](const Site& site) {
    return is_operand(site.role) && matches(choice.pattern, site.path);
  });
}

bool fits(const Granularity& granularity, const Site& site) {
  if (granularity == Granularity::tensor) return true;
  if (granularity == Granularity::token)
    return site.kind == SiteKind::activation && is_operand(site.role);
  return site.kind == SiteKind::weight;
}

// Returns whether the format has changed.
bool change(const SiteChoice& choice, const Site& site, SiteRequest& request) {
  const auto before = request.format;
  if (choice.wanted) request.format = choice.wanted->format;
  if (choice.granularity && fits(*choice.granularity, site))
    request.granularity = *choice.granularity;
  if (choice.observer) request.observer = *choice.observer;
  if (request.granularity == Granularity::token) {
    if (choice.observer && *choice.observer != Observer::absmax)
      fail(ErrorCode::usage,
           "{}: observer {} is for a range known in advance, and {} has the absmax of each token: "
           "give it @tensor, or no observer",
           choice.origin, choice.observer->text(), printable(site.path));
    request.observer = Observer::absmax;
  }
  request.reason = choice.reason;
  request.required_by.clear();
  if (choice.wanted && choice.wanted->format && choice.pattern == site.path)
    request.required_by = choice.origin;
  return request.format != before;
}

}  // namespace

std::string_view name_of(const std::optional<Format>& format) {
  return format ? info(*format).name : "float";
}

namespace {

[[noreturn]] void fail_no_format(std::string_view text, const std::string& where,
                                 std::vector<std::string_view> names) {
  for (const FormatInfo& f : all_formats()) names.push_back(f.name);
  fail(ErrorCode::usage, "{}: \"{}\" is no format; there are {}", where, printable(text),
       fmt::join(names, ", "));
}

}  // namespace

Format require_format(std::string_view text, const std::string& where) {
  if (const auto format = format_named(text)) return *format;
  fail_no_format(text, where, {});
}

SiteChoice::Wanted parse_format(std::string_view text, const std::string& where) {
  if (text == "float") return {std::nullopt};
  if (const auto format = format_named(text)) return {format};
  fail_no_format(text, where, {"float"});
}

Granularity parse_granularity(std::string_view text, const std::string& where) {
  if (const auto granularity = Granularity::parse(text)) return *granularity;
  fail(ErrorCode::usage, "{}: \"{}\" is no granularity; there are {}", where, printable(text),
       kGranularities);
}

SiteChoice parse_site_choice(std::string_view text) {
  SiteChoice choice;
  choice.reason = choice.origin = fmt::format("--site '{}'", printable(text));
  const size_t equals = text.rfind('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size())
    fail(ErrorCode::usage, "{}: has not the form {}", choice.origin, kForm);
  choice.pattern = text.substr(0, equals);
  std::string_view rest = text.substr(equals + 1);
  if (const size_t colon = rest.find(':'); colon != rest.npos) {
    choice.observer = ObserverChoice::parse(rest.substr(colon + 1), choice.origin);
    rest = rest.substr(0, colon);
  }
  if (const size_t at = rest.find('@'); at != rest.npos) {
    choice.granularity = parse_granularity(rest.substr(at + 1), choice.origin);
    rest = rest.substr(0, at);
  }
  if (!rest.empty()) choice.wanted = parse_format(rest, choice.origin);
  return choice;
}

void apply_choices(std::span<const SiteChoice> choices, const std::vector<Site>& sites,
                   PlanRequest& request) {
  FP8Q_ASSERT(request.sites.size() == sites.size());
  for (const SiteChoice& choice : choices) {
    bool found = false;
    bool fitting = false;
    for (size_t i = 0; i < sites.size(); ++i) {
      if (!matches(choice.pattern, sites[i].path)) continue;
      found = true;
      fitting |= !choice.granularity || fits(*choice.granularity, sites[i]);
      if (!is_meant(choice, sites, i, request.sites[i])) continue;
      request.mixed |= change(choice, sites[i], request.sites[i]);
    }
    if (!found)
      fail(ErrorCode::usage,
           "{}: \"{}\" {} the model's {} Sites (as {}); fp8q inspect --sites lists them",
           choice.origin, printable(choice.pattern),
           is_pattern(choice.pattern) ? "matches none of" : "is none of", sites.size(),
           examples(choice.pattern, sites));
    if (!fitting)
      fail(ErrorCode::usage,
           "{}: granularity {} is for {}, and what matches is none; activations have a scale per "
           "tensor or token",
           choice.origin, choice.granularity->text(),
           *choice.granularity == Granularity::token ? "inputs of linear layers" : "weights");
  }
}

}  // namespace fp8q
