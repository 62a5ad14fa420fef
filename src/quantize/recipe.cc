#include "quantize/recipe.h"

#include <array>

namespace fp8q {
namespace {

// The six linears of every layer and the two products of attention.
constexpr uint32_t kEncoderProducts =
    role_bit(SiteRole::attention_input) | role_bit(SiteRole::query) | role_bit(SiteRole::key) |
    role_bit(SiteRole::probabilities) | role_bit(SiteRole::value) |
    role_bit(SiteRole::attention_output) | role_bit(SiteRole::intermediate) |
    role_bit(SiteRole::ffn_output);

constexpr std::array kRecipes = {
#define RECIPE(name, weights, granularity, activations, roles, description) \
  Recipe{name, Format::weights, Granularity::granularity, Format::activations, roles, description},
#include "quantize/recipes.def"
#undef RECIPE
};

}  // namespace

std::string_view name(Granularity granularity) {
  return granularity == Granularity::channel ? "channel" : "tensor";
}

std::span<const Recipe> all_recipes() { return kRecipes; }

const Recipe* recipe_named(std::string_view name) {
  for (const Recipe& recipe : kRecipes)
    if (recipe.name == name) return &recipe;
  return nullptr;
}

const Recipe& default_recipe() { return kRecipes.front(); }

}  // namespace fp8q
