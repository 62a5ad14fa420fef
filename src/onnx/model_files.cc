#include "onnx/model_files.h"

#include "base/error.h"
#include "base/hash.h"

namespace fp8q {

FileFacts ModelFiles::facts(const fs::path& path) const {
  FileFacts facts{path, graph->sha256(), graph->view().size()};
  if (external.empty()) return facts;
  std::string lines = facts.sha256 + "\n";
  for (const auto& [location, bytes] : external) {
    lines += fmt::format("{} {}\n", bytes->sha256(), location);
    facts.bytes += bytes->view().size();
  }
  facts.sha256 = sha256(lines);
  return facts;
}

void ModelFiles::release() const noexcept {
  if (graph) graph->release();
  for (const ExternalFile& file : external) file.bytes->release();
}

}  // namespace fp8q
