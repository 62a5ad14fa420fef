// Recipes: what the user asks for with --format or --recipe. Rows are in recipes.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "graph/site.h"
#include "numeric/format.h"

namespace fp8q {

// Which values share a scale.
struct Granularity {
  enum class Kind {
    tensor,  // all
    // Of weights:
    channel,  // each output channel
    groups,   // `size` groups of as many output channels each, in their order: ZeroQuant's rows
    block,    // of each output channel, `size` consecutive input channels
    tile,     // `size` input by `size` output channels: Jetfire's blocks
    // Of inputs of linear layers:
    token,  // each row: its scale is found at run time
  };
  Kind kind = Kind::tensor;
  int64_t size = 0;

  static const Granularity tensor, channel, token;
  std::string text() const;  // "tensor", "channel", "groups48", "block32", "tile32", "token"
  static std::optional<Granularity> parse(std::string_view text);
  friend bool operator==(const Granularity&, const Granularity&) = default;
};
inline constexpr Granularity Granularity::tensor{Granularity::Kind::tensor, 0};
inline constexpr Granularity Granularity::channel{Granularity::Kind::channel, 0};
inline constexpr Granularity Granularity::token{Granularity::Kind::token, 0};
// For messages and help.
inline constexpr std::string_view kGranularities =
    "tensor, channel, groupsN, blockN, tileN (as groups48, block32, tile32), token";

struct Recipe {
  std::string_view name;
  Format weights;
  Granularity weight_granularity;
  Format activations;
  Granularity activation_granularity;
  uint32_t roles;  // role_bit() of the Sites it quantizes
  std::string_view description;
};

constexpr uint32_t role_bit(SiteRole role) { return 1u << static_cast<int>(role); }

constexpr bool covers(const Recipe& recipe, SiteRole role) { return recipe.roles & role_bit(role); }
// Whether it quantizes values that enter no product, which only a recognized encoder has.
bool is_naive(const Recipe& recipe);

std::span<const Recipe> all_recipes();
const Recipe* recipe_named(std::string_view name);  // nullptr: no such recipe
// Error (usage), beginning with `where`, that lists the recipes there are.
const Recipe& require_recipe(std::string_view name, const std::string& where);
const Recipe& default_recipe();

}  // namespace fp8q
