// Makes a tiny encoder as a graph, with the statistics that converting it needs.
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

// Returns sequences of the tiny model's words.
PackedBatch tiny_words();
Encoder recognized_encoder(const Model& model);

}  // namespace fp8q::test
