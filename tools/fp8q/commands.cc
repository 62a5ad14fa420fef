#include "tools/fp8q/command.h"

namespace fp8q::cli {

void add_commands(CommandLine& program, Globals& globals) {
  add_inspect(program, globals);
  add_calibrate(program, globals);
  add_merge(program, globals);
  add_convert(program, globals);
  add_eval(program, globals);
  add_bench(program, globals);
  add_report(program, globals);
  add_compare(program, globals);
  add_sensitivity(program, globals);
  add_tune(program, globals);
}

}  // namespace fp8q::cli
