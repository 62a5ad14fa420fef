#include "report/score_text.h"

#include "base/error.h"

namespace fp8q {

std::string score_text(const json::Value& scores) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", scores["score"].number(),
                     scores["ci95"].at(0).number(), scores["ci95"].at(1).number());
}

std::string difference_text(const json::Value& d) {
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}]", d["score"].number(), d["ci95"].at(0).number(),
                     d["ci95"].at(1).number());
}

}  // namespace fp8q
