// A tiny encoder as a graph, with statistics: what converting it needs.
#pragma once

#include "calibrate/statistics.h"
#include "encoder/encoder.h"
#include "engine/engine.h"
#include "graph/model.h"

namespace fp8q::test {

struct TinyModel {
  Model model;  // opset 21
  Encoder encoder;
  Statistics statistics;

  TinyModel();
};

// Sequences of the tiny model's words.
PackedBatch tiny_words();
Encoder recognized_encoder(const Model& model);

}  // namespace fp8q::test
