#include "graph/site_names.h"

namespace fp8q {

std::string_view name_of(SiteKind kind) {
  return kind == SiteKind::activation ? "activation" : "weight";
}

std::string role_in_path(const std::string& path) {
  constexpr std::string_view kLayer = "layer.";
  const size_t slash = path.find('/');
  if (!path.starts_with(kLayer) || slash == std::string::npos) return path;
  return path.substr(slash + 1);
}

std::string format_name(const Site& site) {
  return site.quantization ? std::string(info(site.quantization->format).name) : "float";
}

}  // namespace fp8q
