// Says what operators of the interpreter read, so that generated nodes are often valid.
#pragma once

#include <string_view>

namespace fp8q::test {

struct OperandPattern {
  std::string_view op;
  // One letter for each operand. `first` is the first operand.
  //   a  any type             n  numbers             f  floating point     b  truth values
  //   c  8-bit or int32 codes o  a number, a scalar  k  a scalar of int64  q  a positive scale
  //   s  as `first`           w  its type, a shape that broadcasts with it l  its type, a scalar
  //   m  its type, a factor of a matrix product      v  its type, its last dimension
  //   i  indices into it      x  axes of it          r  its elements reshaped
  //   t  a repeat count or bound for each of its dimensions                p  pads of it
  //   y  the type of the second operand, a shape that broadcasts with it   d  a shape
  //   u  what replaces the slices of `first` that the second operand names
  //   z  codes like those that a scale `q` belongs to
  // Operands after '?' may be absent, and '*' may repeat the one before it.
  std::string_view operands;
  // The names of attributes. Those that end with '!' are always given.
  std::string_view attributes;
  size_t outputs = 1;
};

// Returns a pattern of any numbers if the operator has no row.
OperandPattern pattern_of(std::string_view op);

}  // namespace fp8q::test
