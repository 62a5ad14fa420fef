// Studies sensitivity in several formats, as the command reports it: trials of every Site, the
// format that fits its values, ranks and sums.
#pragma once

#include "fp8q/sensitivity.h"
#include "study/plan_maker.h"
#include "study/sensitivity.h"

namespace fp8q {

class SensitivityStudy {
 public:
  // All arguments must outlive the study. The maker's source must have an encoder and statistics.
  SensitivityStudy(PlanMaker& plans, const SensitivityInputs& inputs,
                   const ProgressCallback& progress)
      : plans_(plans), inputs_(inputs), progress_(progress) {}

  // Adds the format to the result. The first format decides which Sites the result has.
  void add(Format format, const Recipe& recipe, const PlanOptions& options,
           SensitivityResult& result);

 private:
  void add_sites(const Plan& plan, const Sensitivity& found, SensitivityResult& result);

  PlanMaker& plans_;
  const SensitivityInputs& inputs_;
  const ProgressCallback& progress_;
};

// Fills in the sums by role and by layer.
void add_groups(SensitivityResult& result);

}  // namespace fp8q
