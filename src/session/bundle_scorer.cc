#include "session/bundle_scorer.h"

#include "quantize/rewrite.h"
#include "session/make_engine.h"

namespace fp8q {

Scored BundleScorer::converted(const Plan& plan, const Progress& progress) {
  Bundle converted;
  converted.file = bundle_.file;
  converted.folder = bundle_.folder;
  converted.model = quantize_model(bundle_.model, bundle_.sites, plan);
  find_sites(converted);
  std::vector<std::string> notes;  // dropped: the float model's were reported
  const auto engine = make_engine(converted, execution_, notes);
  return scorer_.scored(*engine, progress);
}

}  // namespace fp8q
