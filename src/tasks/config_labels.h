// Reads the labels of a model's outputs from its config.json.
#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace fp8q {

// Returns the label of each output, from "id2label" ({"0": "negative", ...}) or "label2id"
// ({"negative": 0, ...}) of the object `root`; none if it has neither. If one of the two only
// numbers its labels ("LABEL_0"), the other one counts. Rejects labels that do not name the outputs
// from 0 on, each once, and two members that contradict each other.
std::vector<std::string> read_labels(const json::Value& root);

}  // namespace fp8q
