#include "tasks/squad_reader.h"

#include "base/error.h"
#include "base/utf8.h"
#include "json/document.h"

namespace fp8q {
namespace {

using json::Value;

// Some official questions have spaces around them, which are not part of the question.
std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\n\r\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// Files of one's own often number their questions.
std::string id_of(const Value& id) { return id.is_number() ? id.dump() : id.string(); }

Example read_question(const Task& task, const Value& question, const std::string& context,
                      bool& labeled) {
  Example example{
      .text = trimmed(question["question"].string()), .pair = context, .id = id_of(question["id"])};
  const bool impossible = question.boolean_or("is_impossible", false);
  if (impossible && !task.has_unanswerable)
    question.reject(
        "the question has no answer (\"is_impossible\"), as in SQuAD v2.0; score the file with "
        "--task squad2");
  const auto answers = question.find("answers");
  labeled &= answers.has_value();
  // Impossible questions of the official training file have "plausible_answers", which are wrong.
  if (!answers || impossible) return example;
  for (const Value& answer : answers->items()) example.answers.push_back(answer["text"].string());
  if (example.answers.empty() && !task.has_unanswerable)
    answers->reject("has no answer; a file with such questions is for --task squad2");
  return example;
}

}  // namespace

Dataset read_squad(const Task& task, const std::filesystem::path& path,
                   const std::string& content) {
  const json::Document document = json::Document::parse(without_bom(content), path.string());
  Dataset data;
  data.labeled = true;
  for (const Value& article : document.root()["data"].items())
    for (const Value& paragraph : article["paragraphs"].items()) {
      const std::string context = paragraph["context"].string();
      for (const Value& question : paragraph["qas"].items())
        data.examples.push_back(read_question(task, question, context, data.labeled));
    }
  if (data.examples.empty())
    fail(ErrorCode::bad_data, "{}: data: expected articles with questions, found none",
         printable(path.string()));
  return data;
}

}  // namespace fp8q
