#include "report/score_text.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fp8q {

std::string score_text(const nlohmann::json& scores) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", scores.at("score").get<double>(),
                     scores.at("ci95").at(0).get<double>(), scores.at("ci95").at(1).get<double>());
}

std::string difference_text(const nlohmann::json& d) {
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}]", d.at("score").get<double>(),
                     d.at("ci95").at(0).get<double>(), d.at("ci95").at(1).get<double>());
}

}  // namespace fp8q
