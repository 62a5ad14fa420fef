#include "quantize/recipe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/error.h"

namespace fp8q {
namespace {

// These are the inputs of the six linear layers of every encoder layer.
constexpr uint32_t kEncoderLinears =
    role_bit(SiteRole::attention_input) | role_bit(SiteRole::attention_output) |
    role_bit(SiteRole::intermediate) | role_bit(SiteRole::ffn_output);

// These are the linear layers and the two products of attention.
constexpr uint32_t kEncoderProducts = kEncoderLinears | role_bit(SiteRole::query) |
                                      role_bit(SiteRole::key) | role_bit(SiteRole::probabilities) |
                                      role_bit(SiteRole::value);

// These are the inputs and results of every operation, including embeddings, residual sums and
// head.
constexpr uint32_t kEverything =
    kEncoderProducts | role_bit(SiteRole::head) | role_bit(SiteRole::other) |
    role_bit(SiteRole::embeddings_sum) | role_bit(SiteRole::scores) |
    role_bit(SiteRole::attention_result) | role_bit(SiteRole::attention_residual) |
    role_bit(SiteRole::intermediate_result) | role_bit(SiteRole::ffn_result) |
    role_bit(SiteRole::ffn_residual) | role_bit(SiteRole::head_result);

constexpr std::array kRecipes = {
#define FP8Q_RECIPE(name, weights, weight_granularity, activations, activation_granularity, roles, \
                    description)                                                                   \
  Recipe{name,                                                                                     \
         Format::weights,                                                                          \
         Granularity::weight_granularity,                                                          \
         Format::activations,                                                                      \
         Granularity::activation_granularity,                                                      \
         roles,                                                                                    \
         description},
#include "quantize/recipes.def"
#undef FP8Q_RECIPE
};

}  // namespace

namespace {

struct KindName {
  Granularity::Kind kind;
  std::string_view name;
  bool sized;
};
constexpr std::array kKinds = {KindName{Granularity::Kind::tensor, "tensor", false},
                               KindName{Granularity::Kind::channel, "channel", false},
                               KindName{Granularity::Kind::groups, "groups", true},
                               KindName{Granularity::Kind::block, "block", true},
                               KindName{Granularity::Kind::tile, "tile", true},
                               KindName{Granularity::Kind::token, "token", false}};

}  // namespace

std::string Granularity::text() const {
  const KindName& known = *std::ranges::find(kKinds, kind, &KindName::kind);
  return std::string(known.name) + (known.sized ? std::to_string(size) : "");
}

std::optional<Granularity> Granularity::parse(std::string_view text) {
  for (const KindName& known : kKinds) {
    if (!text.starts_with(known.name)) continue;
    const std::string_view number = text.substr(known.name.size());
    Granularity granularity{known.kind, 0};
    if (!known.sized && number.empty()) return granularity;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), granularity.size);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    if (known.sized && whole && granularity.size > 0) return granularity;
  }
  return std::nullopt;
}

bool is_naive(const Recipe& recipe) {
  constexpr uint32_t kOperands = role_bit(SiteRole::other) * 2 - 1;
  return (recipe.roles & ~kOperands) != 0;
}

std::span<const Recipe> all_recipes() { return kRecipes; }

const Recipe* recipe_named(std::string_view name) {
  for (const Recipe& recipe : kRecipes)
    if (recipe.name == name) return &recipe;
  return nullptr;
}

const Recipe& require_recipe(std::string_view name, const std::string& where) {
  if (const Recipe* recipe = recipe_named(name)) return *recipe;
  std::vector<std::string_view> names;
  for (const Recipe& recipe : kRecipes) names.push_back(recipe.name);
  fail(ErrorCode::usage, "{}: \"{}\" is none of {}", where, printable(name),
       fmt::join(names, ", "));
}

const Recipe& default_recipe() { return kRecipes.front(); }

}  // namespace fp8q
