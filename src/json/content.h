// Holds the contents of a Document. This header is internal to the folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "json/document.h"

namespace fp8q::json {

using Node = nlohmann::json;

struct Content {
  std::string source;
  Kind kind;
  Node root = {};
  size_t memory = 0;  // bytes, about

  // Returns the place of a node of `root`: "sites[3].count", "vocab[\"##s\"]"; empty for the root
  // itself.
  std::string place_of(const Node& node) const;
  // Raises an error with the kind's code: "<source>: <place>: <problem>; <remedy>".
  [[noreturn]] void reject(const std::string& place, std::string_view problem) const;
};

}  // namespace fp8q::json
