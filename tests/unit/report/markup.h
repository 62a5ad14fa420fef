// Looks at HTML in tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp8q::test {

// Returns an empty text if every element is closed in its turn and no attribute is left open.
// Otherwise returns what is wrong, with the text around it.
std::string markup_problem(std::string_view html);

// Returns every number that follows `before`, in order: numbers_after(svg, " cx=\"").
std::vector<double> numbers_after(std::string_view html, std::string_view before);

}  // namespace fp8q::test
