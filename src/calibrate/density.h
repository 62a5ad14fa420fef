// Reads the histogram of a Site as a density. Within a bin, values are assumed to be spread evenly,
// so sums over any interval have closed forms. Observers use these sums to weigh the cells of a
// format's grid; a cell is the magnitudes that are rounded to one code. Zeros are left out because
// every format keeps them. This header is internal to the observers.
#pragma once

#include <limits>
#include <vector>

#include "calibrate/observer.h"

namespace fp8q {

class Density {
 public:
  explicit Density(const SiteStatistics& statistics);

  struct Sums {
    double count = 0;        // number of values
    double first = 0;        // sum of their magnitudes
    double second = 0;       // sum of their squares
    double log_density = 0;  // sum of log(values per unit of magnitude) at each of them
    double support = 0;      // length of the bins that hold values
    Sums operator-(const Sums& other) const {
      return {count - other.count, first - other.first, second - other.second,
              log_density - other.log_density, support - other.support};
    }
  };
  Sums below(double magnitude) const;
  Sums all() const { return below(std::numeric_limits<double>::max()); }

 private:
  struct Edge {
    double at;
    double density;  // from here to the next edge
    Sums before;     // of all magnitudes below this edge
  };
  static Sums between(const Edge& edge, double to);
  void add_edge(double at, double density);

  std::vector<Edge> edges_;
};

// Describes a cell of the grid: the magnitudes in [low, high) are rounded to `code`. No scale is
// applied.
struct Cell {
  double low, code, high;
};
// Returns the cells of a format in ascending order. The last one ends where the next code would
// begin if there were one; magnitudes above it saturate.
const std::vector<Cell>& cells_of(Format format);

// Does the same as the function for SiteStatistics (observer.h), for searches that call it many
// times.
ExpectedError expected_error(const Density& density, Format format, float range);

}  // namespace fp8q
