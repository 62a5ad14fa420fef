#include "tasks/config_labels.h"

#include <charconv>
#include <optional>

#include "base/error.h"

namespace fp8q {
namespace {

using json::Value;

constexpr size_t kMaxLabels = 100'000;

std::optional<size_t> number_in(std::string_view text) {
  size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

// Gathers the labels of outputs that come in any order.
class Labels {
 public:
  Labels(const Value& map, size_t count) : map_(map), labels_(count) {
    if (count > kMaxLabels)
      fail(ErrorCode::limit, "{}: has {} labels, at most {} are accepted", map.where(), count,
           kMaxLabels);
  }
  // `shown` is how the file writes the output's number.
  void add(std::optional<size_t> output, std::string_view shown, std::string label) {
    if (!output || *output >= labels_.size() || labels_[*output])
      map_.reject(fmt::format("expected the numbers 0 to {}, each once, found \"{}\"",
                              labels_.size() - 1, printable(shown)));
    labels_[*output] = std::move(label);
  }
  std::vector<std::string> take() {
    std::vector<std::string> out;
    for (auto& label : labels_) out.push_back(std::move(*label));
    return out;
  }

 private:
  const Value& map_;
  std::vector<std::optional<std::string>> labels_;
};

std::vector<std::string> read_id2label(const Value& map) {
  const auto members = map.members();
  Labels labels(map, members.size());
  // Labels that were numbers or truth values in training appear as such.
  for (const auto& [key, value] : members)
    labels.add(number_in(key), key, value.is_string() ? value.string() : value.dump());
  return labels.take();
}

std::vector<std::string> read_label2id(const Value& map) {
  const auto members = map.members();
  Labels labels(map, members.size());
  // Some files write the numbers as text.
  for (const auto& [key, value] : members) {
    const std::string id = value.is_string() ? value.string() : value.dump();
    labels.add(number_in(id), id, std::string(key));
  }
  return labels.take();
}

bool are_numbered(const std::vector<std::string>& labels) {
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != fmt::format("LABEL_{}", i)) return false;
  return true;
}

}  // namespace

std::vector<std::string> read_labels(const Value& root) {
  const auto by_id = root.find("id2label"), by_label = root.find("label2id");
  std::vector<std::string> of_id, of_label;
  if (by_id) of_id = read_id2label(*by_id);
  if (by_label) of_label = read_label2id(*by_label);
  if (of_id.empty() || of_label.empty()) return of_id.empty() ? of_label : of_id;
  if (are_numbered(of_label)) return of_id;
  if (are_numbered(of_id) && of_id.size() == of_label.size()) return of_label;
  if (of_id != of_label)
    by_label->reject("contradicts \"id2label\": they must give the outputs the same labels");
  return of_id;
}

}  // namespace fp8q
