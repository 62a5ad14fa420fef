// What a Document holds. Internal to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "json/document.h"

namespace fp8q::json {

struct Content {
  std::string source;
  Kind kind;
  nlohmann::json root;

  // Where a node of `root` is: "sites[3].count", "vocab[\"##s\"]"; empty for the root itself.
  std::string place_of(const nlohmann::json& node) const;
  // Raises an error of the kind: "<source>: <place>: <problem>; <remedy>".
  [[noreturn]] void reject(const std::string& place, std::string_view problem) const;
};

}  // namespace fp8q::json
