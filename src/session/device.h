// Chooses the device that runs a model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "fp8q/common.h"

namespace fp8q {

// Throws an Error (usage) if the text is not the name of a device. Throws an Error (device) that
// says what is missing if a named device is not available. It is called early, before a model is
// read.
void check_device(const std::string& device);

// Makes the engine of the requested device. "auto" uses the GPU if there is one that runs this
// encoder, or else the CPU. It adds a note if there is a GPU but it cannot run the encoder.
// `layer_ready` is passed to make_cpu_engine().
std::unique_ptr<Engine> make_encoder_engine(const Encoder& encoder,
                                            const ExecutionOptions& execution,
                                            std::vector<std::string>& notes,
                                            const std::function<void()>& layer_ready = nullptr);

}  // namespace fp8q
