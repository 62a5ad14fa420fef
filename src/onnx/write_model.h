// Turns a Model into the bytes of a ModelProto, without a copy of the weights.
//
// Protobuf would hold every payload twice (in the message and in the serialized form). Here
// protobuf serializes everything but the initializers. These follow as the last fields of the
// graph, which is the last field of the model. All sizes are therefore known in advance, and
// payloads are written from their place in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/model.h"

namespace fp8q {

struct ExternalPlace {
  std::string file;
  uint64_t offset = 0;
};

struct ModelBytes {
  struct Piece {
    std::string fields;     // serialized; ends where the payload starts
    const Tensor* payload;  // nullptr: no payload, or in another file
  };
  std::string head;
  std::vector<Piece> initializers;
  uint64_t size = 0;  // size of all bytes

  // Calls write(std::string_view) for all bytes in order.
  template <typename Write>
  void for_each_part(Write&& write) const {
    write(std::string_view(head));
    for (const auto& [fields, payload] : initializers) {
      write(std::string_view(fields));
      if (payload)
        write(std::string_view(reinterpret_cast<const char*>(payload->bytes()), payload->nbytes()));
    }
  }
};

// The initializers named in `external` are stored in another file, at the given place. The model
// must outlive the result.
ModelBytes layout_model(const Model& model,
                        const std::map<std::string, ExternalPlace>& external = {});

}  // namespace fp8q
