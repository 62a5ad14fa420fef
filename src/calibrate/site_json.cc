// Integers are JSON integers. Squares, which are wider than 64 bits, are hexadecimal strings. A
// list of floats is one string with eight hexadecimal digits per float, which is exact and takes an
// eighth of a JSON array printed one number a line.
#include "calibrate/site_json.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;
using State = SiteStatistics::State;

constexpr size_t kDigits = 8;  // digits per FP32 value
constexpr uint32_t kFirstNotFinite = 0x7F800000;

void append_hex(std::string& text, float value) {
  text += fmt::format("{:08x}", std::bit_cast<uint32_t>(value));
}

float hex_float(const Value& field, size_t index) {
  const std::string& text = field.string();
  uint32_t bits = 0;
  const char* first = text.data() + index * kDigits;
  const auto [end, error] = std::from_chars(first, first + kDigits, bits, 16);
  if (error != std::errc() || end != first + kDigits)
    field.reject(fmt::format("element {} is not a hexadecimal FP32 value", index));
  return std::bit_cast<float>(bits);
}

size_t hex_count(const Value& field) {
  const std::string& text = field.string();
  if (text.size() % kDigits != 0) field.reject("is not a list of FP32 values");
  return text.size() / kDigits;
}

std::string hex(uint128 value) {
  const auto high = static_cast<uint64_t>(value >> 64);
  const auto low = static_cast<uint64_t>(value);
  return high ? fmt::format("{:x}{:016x}", high, low) : fmt::format("{:x}", low);
}

uint128 wide_hex(const Value& field) {
  const std::string& text = field.string();
  if (text.empty() || text.size() > 32) field.reject("is not a hexadecimal number");
  uint128 value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) field.reject("is not a hexadecimal number");
    value = value * 16 + static_cast<unsigned>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

Tree histogram_to_json(const State& state) {
  Tree out = Tree::list();  // bin, count, bin, count, ...
  for (size_t bin = 0; bin < state.histogram.size(); ++bin) {
    if (state.histogram[bin] == 0) continue;
    out.push_back(bin);
    out.push_back(state.histogram[bin]);
  }
  return out;
}

void read_histogram(const Value& field, State& state) {
  if (field.size() % 2 != 0) field.reject("is not a list of bins and counts");
  uint64_t total = state.zeros;
  size_t next = 0;
  for (size_t i = 0; i < field.size(); i += 2) {
    const uint64_t bin = field.at(i).unsigned_integer(SiteStatistics::kBins - 1);
    if (bin < next) field.at(i).reject("bins are not in ascending order");
    next = bin + 1;
    state.histogram[bin] = field.at(i + 1).unsigned_integer(state.count);
    if (state.histogram[bin] == 0) field.at(i + 1).reject("is an empty bin");
    total += state.histogram[bin];
  }
  if (total != state.count)
    field.reject(fmt::format("holds {} values with the zeros, not {}", total, state.count));
}

Tree sums_to_json(const State& state) {
  Tree out = Tree::list();  // [exponent, sum of mantissas, sum of their squares], ...
  for (size_t e = 0; e < state.sums.size(); ++e)
    if (state.sums[e] != SiteStatistics::ExponentSums{})
      out.push_back(Tree::list({e, state.sums[e].mantissas, hex(state.sums[e].squares)}));
  return out;
}

// Returns how many values of the histogram have the biased exponent e.
uint64_t values_with_exponent(const State& state, size_t e) {
  constexpr size_t kBinsPerExponent = size_t{1} << (23 - SiteStatistics::kBinShift);
  uint64_t n = 0;
  for (size_t i = 0; i < kBinsPerExponent; ++i) n += state.histogram[e * kBinsPerExponent + i];
  return n;
}

void read_sums(const Value& field, State& state) {
  size_t next = 0;
  for (size_t i = 0; i < field.size(); ++i) {
    const auto row = field.at(i).items(3);
    const uint64_t e = row[0].unsigned_integer(SiteStatistics::kExponents - 1);
    if (e < next) field.at(i).reject("exponents are not in ascending order");
    next = e + 1;
    const uint64_t n = values_with_exponent(state, e);
    auto& sums = state.sums[e];
    sums.mantissas = row[1].integer();
    sums.squares = wide_hex(row[2]);
    // Mantissas have 24 bits, so sums beyond these limits are impossible (and could overflow when
    // merged).
    const auto largest = static_cast<int64_t>(n << 24);
    if (sums.mantissas > largest || sums.mantissas < -largest ||
        sums.squares > static_cast<uint128>(n) << 48)
      field.at(i).reject(fmt::format("{} values cannot have this sum", n));
  }
}

void read_range(const Value& field, State& state) {
  if (state.count == 0) {
    if (!field["min"].is_null() || !field["max"].is_null())
      field.reject("has a range but no values");
    return;
  }
  state.range = {field["min"].finite_float(), field["max"].finite_float()};
  if (state.range.empty()) field["min"].reject("is above the maximum");
  const float absmax = std::max(std::fabs(state.range.min), std::fabs(state.range.max));
  const size_t bin = std::bit_cast<uint32_t>(absmax) >> SiteStatistics::kBinShift;
  size_t top = state.histogram.size();
  while (top > 0 && state.histogram[top - 1] == 0) --top;
  if (absmax == 0.0f ? top != 0 : top != bin + 1)
    field["max"].reject("does not agree with the histogram");
}

void read_channels(const Value& field, State& state) {
  state.columns = field["columns"].integer();
  const Value channels = field["channel_absmax"];
  if (state.columns < -1 || state.columns > SiteStatistics::kMaxChannels)
    field["columns"].reject("is out of range");
  const size_t n = hex_count(channels);
  if (n != static_cast<size_t>(std::max<int64_t>(state.columns, 0)))
    channels.reject(fmt::format("has {} values for {} columns", n, state.columns));
  for (size_t i = 0; i < n; ++i) {
    state.channel_absmax.push_back(hex_float(channels, i));
    if (std::bit_cast<uint32_t>(state.channel_absmax.back()) >= kFirstNotFinite)
      channels.reject(fmt::format("element {} is negative or not finite", i));
  }
}

void read_groups(const Value& field, State& state) {
  const size_t n = hex_count(field);
  if (n % 2 != 0 || n / 2 > SiteStatistics::kMaxGroups) field.reject("is not a list of ranges");
  for (size_t i = 0; i < n; i += 2) {
    const SiteStatistics::Range range{hex_float(field, i), hex_float(field, i + 1)};
    const bool finite = std::isfinite(range.min) && std::isfinite(range.max);
    if (range != SiteStatistics::Range{} && (!finite || range.empty()))
      field.reject(fmt::format("group {} is not a range", i / 2));
    state.groups.push_back(range);
  }
}

}  // namespace

json::Tree site_to_json(const SiteRecord& site) {
  const State& state = site.statistics.state();
  std::string channels;
  for (const float absmax : state.channel_absmax) append_hex(channels, absmax);
  std::string groups;
  for (const auto& range : state.groups) {
    append_hex(groups, range.min);
    append_hex(groups, range.max);
  }
  Tree out = {{"value", site.value},
              {"path", site.path},
              {"count", state.count},
              {"zeros", state.zeros},
              {"nonfinite", state.nonfinite},
              {"min", nullptr},
              {"max", nullptr},
              {"histogram", histogram_to_json(state)},
              {"sums", sums_to_json(state)},
              {"columns", state.columns},
              {"channel_absmax", channels},
              {"groups", groups}};
  if (state.count > 0) {
    out["min"] = state.range.min;
    out["max"] = state.range.max;
  }
  return out;
}

SiteRecord site_from_json(const json::Value& field) {
  field.with_members(12);
  SiteRecord site{field["value"].string(), field["path"].string(), {}};
  State state;
  state.count = field["count"].unsigned_integer(SiteStatistics::kMaxCount);
  state.zeros = field["zeros"].unsigned_integer(state.count);
  state.nonfinite = field["nonfinite"].unsigned_integer(UINT64_MAX / 2);
  read_histogram(field["histogram"], state);
  read_sums(field["sums"], state);
  read_range(field, state);
  read_channels(field, state);
  read_groups(field["groups"], state);
  site.statistics = SiteStatistics::of(std::move(state));
  return site;
}

}  // namespace fp8q
