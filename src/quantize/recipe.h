// Recipes: what the user asks for with --format or --recipe. Rows are in recipes.def.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "graph/site.h"
#include "numeric/format.h"

namespace fp8q {

enum class Granularity { tensor, channel };
std::string_view name(Granularity granularity);

struct Recipe {
  std::string_view name;
  Format weights;
  Granularity weight_granularity;
  Format activations;  // per tensor, static, symmetric
  uint32_t roles;      // role_bit() of the Sites it quantises
  std::string_view description;
};

constexpr uint32_t role_bit(SiteRole role) { return 1u << static_cast<int>(role); }

std::span<const Recipe> all_recipes();
const Recipe* recipe_named(std::string_view name);  // nullptr: no such recipe
const Recipe& default_recipe();

}  // namespace fp8q
