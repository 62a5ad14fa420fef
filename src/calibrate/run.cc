#include "calibrate/run.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/stopwatch.h"

namespace fp8q {
namespace {

// Maps every Site of the model to its record in the statistics, or to -1.
struct Records {
  std::vector<int> of_site;
  Statistics empty;  // has every record, without values

  explicit Records(const std::vector<Site>& sites) : of_site(sites.size(), -1) {
    for (size_t s = 0; s < sites.size(); ++s) {
      if (sites[s].kind != SiteKind::activation) continue;
      of_site[s] = static_cast<int>(empty.sites.size());
      empty.sites.push_back({sites[s].value, sites[s].path, {}});
    }
  }
};

bool same_sites(const Statistics& a, const Statistics& b) {
  return std::ranges::equal(a.sites, b.sites, {}, &SiteRecord::value, &SiteRecord::value);
}

// Returns why this run cannot use the checkpoint, or an empty text if it can.
std::string unusable(const Statistics& checkpoint, const CalibrationRun& run,
                     const Statistics& fresh) {
  if (auto what = difference(checkpoint.provenance, run.provenance); !what.empty())
    return "it differs in " + what;
  if (!same_sites(checkpoint, fresh)) return "it differs in the Sites";
  const Part& done = checkpoint.part;
  if (done.of != run.part.of || done.begin != run.part.begin || done.end > run.part.end)
    return fmt::format("it is of other examples ({})", done.text());
  return "";
}

// Returns the statistics in the checkpoint, or `fresh` if it cannot be used.
Statistics resumed(const CalibrationRun& run, Statistics fresh, std::vector<std::string>& notes) {
  if (!is_there(run.checkpoint)) return fresh;
  std::string why;
  try {
    Statistics found = load_statistics(run.checkpoint);
    why = unusable(found, run, fresh);
    if (why.empty()) {
      notes.push_back(fmt::format("went on from {} after example {} of {}", run.checkpoint.string(),
                                  found.part.end, found.part.of));
      return found;
    }
  } catch (const Error& error) {
    why = error.what();
  }
  notes.push_back(fmt::format("the checkpoint {} was not used: {}", run.checkpoint.string(), why));
  return fresh;
}

// Runs the examples [begin, end) and counts them as done.
void observe_examples(const CalibrationRun& run, const ExampleRunner& runner,
                      const std::vector<int>& record_of, Statistics& statistics, size_t end) {
  const auto begin = static_cast<size_t>(statistics.part.end);
  const size_t group = begin / SiteStatistics::kExamplesPerGroup;
  const size_t tokens =
      runner(begin, end, [&](int site, std::span<const float> values, int64_t columns) {
        const auto s = static_cast<size_t>(site);
        const bool channels = has_channels(run.sites[s].role);
        statistics.sites[static_cast<size_t>(record_of[s])].statistics.observe(
            values, channels ? columns : 0, group);
      });
  statistics.part.end = static_cast<int64_t>(end);
  statistics.provenance.examples += static_cast<int64_t>(end - begin);
  statistics.provenance.tokens += static_cast<int64_t>(tokens);
}

}  // namespace

Statistics run_calibration(const CalibrationRun& run, const ExampleRunner& runner,
                           const ProgressCallback& progress, std::vector<std::string>& notes) {
  Records records(run.sites);
  records.empty.provenance = run.provenance;
  records.empty.part = {run.part.begin, run.part.begin, run.part.of};
  Statistics statistics = resumed(run, std::move(records.empty), notes);
  announce_checkpoint(run.checkpoint);
  Stopwatch since_checkpoint;
  constexpr size_t kGroup = SiteStatistics::kExamplesPerGroup;
  const auto all = static_cast<size_t>(run.part.end);
  while (statistics.part.end < run.part.end) {
    const auto begin = static_cast<size_t>(statistics.part.end);
    // A run never crosses the border of a group of the moving ranges, so every batch size observes
    // the same values in the same group.
    const size_t end = std::min({begin + run.batch, (begin / kGroup + 1) * kGroup, all});
    observe_examples(run, runner, records.of_site, statistics, end);
    if (progress)
      progress("calibrating", end - static_cast<size_t>(run.part.begin),
               all - static_cast<size_t>(run.part.begin));
    if (end == all || since_checkpoint.seconds() < run.checkpoint_seconds) continue;
    save_statistics(statistics, run.checkpoint);
    since_checkpoint = Stopwatch();
  }
  return statistics;
}

}  // namespace fp8q
