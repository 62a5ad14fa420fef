#include "json/document.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/text_check.h"
#include "json/content.h"

namespace fp8q::json {
namespace {

// Builds the tree while the parser reads. The library's own callback for every step of the parser
// searches the parent object after each step, which takes quadratic time in the length of lists.
class Builder final : public nlohmann::json_sax<Node> {
 public:
  Builder(Content& content, std::string_view bytes) : content_(content), bytes_(bytes) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override {
    charge(kString + value.size());
    return put(std::move(value));
  }
  bool binary(Node::binary_t&) override { return false; }  // JSON text holds no binary values

  bool start_object(size_t) override { return open(Node::object()); }
  bool start_array(size_t) override { return open(Node::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& key) override {
    auto& members = open_.back()->get_ref<Node::object_t&>();
    charge(kMember + key.size());
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
    const auto no_text = problem_with_text(bytes_);  // says more than what the parser met first
    content_.reject("", fmt::format("is not {}: {}", content_.kind.what,
                                    no_text ? *no_text : printable(problem)));
  }

 private:
  // These are the bytes that parts of a document take beside their texts, those of the allocator
  // included.
  static constexpr size_t kValue = 2 * sizeof(Node);  // a list has room for about as many more
  static constexpr size_t kMember = 96;
  static constexpr size_t kString = 48;
  static constexpr size_t kStructure = 64;

  void charge(size_t bytes) {
    content_.memory += bytes;
    if (content_.memory > content_.kind.max_memory)
      fail(ErrorCode::limit, "{}: takes more than {} MiB of memory", content_.source,
           content_.kind.max_memory >> 20);
  }
  Node& place(Node&& node) {
    charge(kValue);
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
    charge(kStructure);
    open_.push_back(&place(std::move(node)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Content& content_;
  std::string_view bytes_;
  std::vector<Node*> open_;  // objects and lists that have not ended, the outermost first
  Node* member_ = nullptr;   // the value of the innermost object that comes next
};

}  // namespace

Document Document::parse(std::string_view bytes, const std::string& source, const Kind& kind) {
  const auto content =
      std::make_shared<Content>(Content{.source = printable(source), .kind = kind});
  Builder builder(*content, bytes);
  Node::sax_parse(bytes, &builder);
  return Document(content);
}

Document Document::read(const std::filesystem::path& path, uint64_t max_bytes, const Kind& kind) {
  return parse(read_file(path, max_bytes), path.string(), kind);
}

size_t Document::memory() const { return content_->memory; }

Value Document::root() const { return Value(*content_, content_->root); }

}  // namespace fp8q::json
