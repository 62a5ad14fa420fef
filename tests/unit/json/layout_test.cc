#include "json/layout.h"

#include <gtest/gtest.h>

#include "json/tree.h"

namespace fp8q::test {
namespace {

using json::Tree;

TEST(Layout, IsThatOfATreeWithOtherIndentation) {
  const Tree tree = {{"a", Tree::list({1, Tree::object(), {{"b\n  c", "  \n"}}})}, {"d", "x"}};
  const std::string two = tree.text({.indent = 2});
  EXPECT_EQ(json::with_indent(two, 2, 1), tree.text({.indent = 1}));
  EXPECT_EQ(json::with_indent(two, 2, 4), tree.text({.indent = 4}));
  EXPECT_EQ(json::with_indent("{}", 2, 1), "{}");
}

TEST(Layout, SeveralTextsAreAList) {
  const Tree a = {{"x", Tree::list({1})}};
  const Tree b = {{"y", nullptr}};
  const Tree empty = Tree::object();
  const auto text = [](const Tree& tree) { return tree.text({.indent = 2}); };
  EXPECT_EQ(json::list_of_texts({text(a), text(b), text(empty)}, 2),
            text(Tree::list({a, b, empty})));
  EXPECT_EQ(json::list_of_texts({}, 2), "[]");
}

}  // namespace
}  // namespace fp8q::test
