// Looking at HTML in tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp8q::test {

// Empty where every element is closed in its turn and no attribute is left open; otherwise what is
// wrong, with the text around it.
std::string markup_problem(std::string_view html);

// Every number that follows `before`, in order: numbers_after(svg, " cx=\"").
std::vector<double> numbers_after(std::string_view html, std::string_view before);

}  // namespace fp8q::test
