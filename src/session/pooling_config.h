// Reads how sentence-transformers pools a model's hidden states.
#pragma once

#include "encoder/encoder.h"
#include "fp8q/common.h"

namespace fp8q {

struct Pooling {
  RowFunction function = RowFunction::mean;
  fs::path path;  // the file that says so; empty if there is none
};

// Reads 1_Pooling/config.json in the model's folder or one folder up (exports have the model in a
// folder of its own). Throws an Error (bad_data) that names the file if it has not one of the
// poolings cls, mean and max.
Pooling find_pooling(const fs::path& model_folder);

}  // namespace fp8q
