// Examples of a task, with what is known about where they came from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct Example {
  std::string text;                 // of a span task: the question
  std::optional<std::string> pair;  // of a span task: the text with the answer
  double gold = 0;  // class index, or the score of a regression task; meaningless where not labeled
  // Of span tasks only.
  std::string id;
  std::vector<std::string> answers;  // any of them is right; none: the question has no answer
};

struct Dataset {
  std::filesystem::path path;  // empty for the built-in sample
  std::string sha256;          // of the file, or of the built-in text
  bool builtin = false;
  std::string split;  // "train", "dev", "test"; "file" for a file of another name
  bool labeled = false;
  std::string note;  // a sentence for the user where something other than the obvious was taken
  std::vector<Example> examples;
};

}  // namespace fp8q
