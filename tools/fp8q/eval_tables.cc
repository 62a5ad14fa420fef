#include "tools/fp8q/eval_tables.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "tools/fp8q/table.h"

namespace fp8q::cli {
namespace {

std::string metrics_text(const Scores& scores) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : scores.metrics) {
    const auto interval = scores.metrics_ci95.find(name);
    parts.push_back(fmt::format("{} {:.4f}", name, value));
    if (interval != scores.metrics_ci95.end())
      parts.back() +=
          fmt::format(" [{:.4f}, {:.4f}]", interval->second.first, interval->second.second);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string score_text(const Scores& s) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", s.score, s.ci95_low, s.ci95_high);
}

std::string difference_text(const ScoreDifference& d) {
  return fmt::format("{} [{}, {}]", signed_number(d.score, 2), signed_number(d.ci95_low, 2),
                     signed_number(d.ci95_high, 2));
}

std::string flips_text(const ScoreDifference& d) {
  return d.flips ? std::to_string(d.flips->size()) : "-";
}

void add_row(Table& table, const Scores& s, const ScoreDifference* d) {
  table.add({short_path(s.model.path.string()), s.format, score_text(s),
             d ? difference_text(*d) : "", d ? p_text(d->p_value) : "", d ? flips_text(*d) : "",
             human_bytes(s.model.bytes), fmt::format("{:.0f}/s", s.examples_per_s)});
}

// Returns "872 examples, 23000 tokens" or "296 examples in 393 sequences, 90000 tokens".
std::string amount_text(const EvaluateResult& r) {
  const std::string sequences =
      r.sequences == r.examples ? "" : fmt::format(" in {} sequences", r.sequences);
  return fmt::format("{} examples{}, {} tokens", r.examples, sequences, r.tokens);
}

}  // namespace

std::string scores_table(const std::vector<EvaluateResult>& results) {
  const EvaluateResult& first = results.front();
  std::string text = fmt::format(
      "{} {}, {} ({})\n", printable(first.task), printable(first.split), amount_text(first),
      first.data.builtin ? "built-in sample" : short_path(first.data.path.string()));
  Table table(
      {"model", "format", "score [95 %]", "difference [95 %]", "p", "flips", "size", "speed"},
      {false, false, true, true, true, true, true, true});
  std::vector<const Scores*> baselines;  // each baseline once, above its models
  for (const auto& r : results) {
    if (!r.baseline) continue;
    const auto same = [&](const Scores* s) { return s->model.sha256 == r.baseline->model.sha256; };
    if (std::ranges::none_of(baselines, same)) baselines.push_back(&*r.baseline);
  }
  for (const Scores* baseline : baselines) add_row(table, *baseline, nullptr);
  for (const auto& r : results) add_row(table, r.scores, r.difference ? &*r.difference : nullptr);
  text += table.str();
  for (const Scores* baseline : baselines)
    text += fmt::format("  {}: {}\n", printable(baseline->format), metrics_text(*baseline));
  for (const auto& r : results)
    text += fmt::format("  {}: {}\n", printable(r.scores.format), metrics_text(r.scores));
  text += fmt::format("  {}, {:.2f} s\n", printable(first.execution.description),
                      first.execution.elapsed_s);
  return text;
}

std::string kernels_table(const EvaluateResult& r) {
  Table table({"site", "requested", "effective"});
  for (const auto& k : r.scores.kernels) table.add({k.path, k.requested, k.effective});
  return fmt::format("\n{}", table.str());
}

namespace {

constexpr size_t kFlipsShown = 50;
constexpr size_t kFlipAnswerWidth = 40;
constexpr size_t kFlipTextWidth = 100;  // limit for both texts of a pair together

// Returns the text on one line, with at most `width` code points.
std::string shortened(const std::string& text, size_t width) {
  const std::string line = printable(text);
  size_t count = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (starts && ++count > width) return line.substr(0, i) + "...";
  }
  return line;
}

std::string shown_text(const Flip& flip) {
  if (flip.pair.empty()) return shortened(flip.text, kFlipTextWidth);
  return shortened(flip.text, kFlipTextWidth / 2) + " | " +
         shortened(flip.pair, kFlipTextWidth / 2);
}

}  // namespace

std::string flips_table(const EvaluateResult& r) {
  const std::string model = short_path(r.scores.model.path.string());
  if (!r.difference) return fmt::format("\n{}: no baseline, so no flips\n", model);
  if (!r.difference->flips)
    return fmt::format("\n{}: answers of task {} are numbers, so no flips\n", model, r.task);
  const std::vector<Flip>& flips = *r.difference->flips;
  if (flips.empty()) return fmt::format("\n{}: no flips\n", model);
  Table table({"index", "gold", "baseline", "model", "text"}, {true});
  const size_t shown = std::min(flips.size(), kFlipsShown);
  for (const Flip& f : std::span(flips).first(shown))
    table.add({std::to_string(f.index), shortened(f.gold, kFlipAnswerWidth),
               shortened(f.baseline, kFlipAnswerWidth), shortened(f.model, kFlipAnswerWidth),
               shown_text(f)});
  std::string text = fmt::format("\n{}: {} flips\n{}", model, flips.size(), table.str());
  if (shown < flips.size())
    text += fmt::format("  the first {} of {}; --json lists the index of every one\n", shown,
                        flips.size());
  return text;
}

}  // namespace fp8q::cli
