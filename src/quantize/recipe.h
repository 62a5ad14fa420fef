// Defines the recipes that the user asks for with --format or --recipe. The rows are in
// recipes.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "graph/site.h"
#include "numeric/format.h"

namespace fp8q {

// Says which values share a scale.
struct Granularity {
  enum class Kind {
    tensor,  // all values
    // The next four apply to weights.
    channel,  // each output channel
    groups,   // `size` equal groups of consecutive output channels: ZeroQuant's rows
    block,    // `size` consecutive input channels of each output channel
    tile,     // `size` input by `size` output channels: Jetfire's blocks
    // The last one applies to inputs of linear layers.
    token,  // each row; its scale is found at run time
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
// Lists the granularities for messages and help.
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
// Returns whether the recipe quantizes values that enter no product. Only a recognized encoder has
// such Sites.
bool is_naive(const Recipe& recipe);

std::span<const Recipe> all_recipes();
const Recipe* recipe_named(std::string_view name);  // nullptr if there is no such recipe
// Throws an Error (usage) that begins with `where` and lists the recipes if there is no such
// recipe.
const Recipe& require_recipe(std::string_view name, const std::string& where);
const Recipe& default_recipe();

}  // namespace fp8q
