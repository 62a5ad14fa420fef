#include "json/document.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "json/content.h"

namespace fp8q::json {
namespace {

using Node = nlohmann::json;

// Builds the tree while the parser reads. The library's own callback for every step of the parser
// searches the parent object after each step, which takes quadratic time in the length of lists.
class Builder final : public nlohmann::json_sax<Node> {
 public:
  explicit Builder(Content& content) : content_(content) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Node::binary_t&) override { return false; }  // JSON text holds no binary values

  bool start_object(size_t) override { return open(Node::object()); }
  bool start_array(size_t) override { return open(Node::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& key) override {
    auto& members = open_.back()->get_ref<Node::object_t&>();
    const auto [member, fresh] = members.try_emplace(std::move(key));
    if (!fresh)
      content_.reject(
          content_.place_of(*open_.back()),
          fmt::format("the key \"{}\" stands twice in one object", printable(member->first)));
    member_ = &member->second;
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view problem = error.what();  // "[json.exception.parse_error.101] parse error at"
    problem.remove_prefix(std::min(problem.find("] ") + 2, problem.size()));
    content_.reject("", fmt::format("is not {}: {}", content_.kind.what, printable(problem)));
  }

 private:
  Node& place(Node&& node) {
    if (open_.empty()) return content_.root = std::move(node);
    if (open_.back()->is_object()) return *member_ = std::move(node);
    auto& elements = open_.back()->get_ref<Node::array_t&>();
    return elements.emplace_back(std::move(node));
  }
  bool put(Node&& node) {
    place(std::move(node));
    return true;
  }
  bool open(Node&& node) {
    if (open_.size() == kMaxDepth)
      content_.reject("", fmt::format("is nested more than {} levels deep", kMaxDepth));
    open_.push_back(&place(std::move(node)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Content& content_;
  std::vector<Node*> open_;  // objects and lists that have not ended, the outermost first
  Node* member_ = nullptr;   // the value of the innermost object that comes next
};

}  // namespace

Document Document::parse(std::string_view bytes, const std::string& source, const Kind& kind) {
  const auto content = std::make_shared<Content>(Content{printable(source), kind, {}});
  Builder builder(*content);
  Node::sax_parse(bytes, &builder);
  return Document(content);
}

Document Document::read(const std::filesystem::path& path, uint64_t max_bytes, const Kind& kind) {
  return parse(read_file(path, max_bytes), path.string(), kind);
}

Value Document::root() const { return Value(*content_, content_->root); }

}  // namespace fp8q::json
