// Holds examples of a task, with what is known about where they came from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct Example {
  std::string text;                 // the question in a span task
  std::optional<std::string> pair;  // the text with the answer in a span task
  double gold = 0;  // class index, or the score of a regression task; meaningless without labels
  // The members below are for span tasks only.
  std::string id;
  std::vector<std::string> answers;  // each of them is right; empty if there is no answer
};

struct Dataset {
  std::filesystem::path path;  // empty for the built-in sample
  std::string sha256;          // hash of the file, or of the built-in text
  bool builtin = false;
  std::string split;  // "train", "dev", "test"; "file" for a file of another name
  bool labeled = false;
  std::string note;  // for the user, if something unexpected was used; parts separated by "; "
  std::vector<Example> examples;

  // Adds to the note unless the text is empty.
  void add_note(const std::string& text) {
    if (!text.empty()) note += (note.empty() ? "" : "; ") + text;
  }
};

}  // namespace fp8q
