#include "tests/fault/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <iterator>

namespace fp8q::test {
namespace {

struct Plan {
  long kind = -1;
  long number = 0;
  Effect effect = Effect::none;
};

constinit Plan plan;
constinit std::atomic<long> counts[std::size(kFaultKinds)];
constinit std::atomic<bool> counting = false;

// Returns the position of the word that `text` begins with, and moves behind the word.
template <size_t N>
long take_word(const char*& text, const char* const (&words)[N]) {
  const size_t length = strcspn(text, " ");
  for (size_t i = 0; i < N; ++i)
    if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0) {
      text += length + (text[length] == ' ');
      return static_cast<long>(i);
    }
  _exit(125);
}

void read_plan(const char* text) {
  const char* names[std::size(kFaultKinds)];
  for (size_t i = 0; i < std::size(kFaultKinds); ++i) names[i] = kFaultKinds[i].name;
  constexpr const char* kEffects[] = {"none", "once", "onwards", "interrupted", "short", "dies"};
  plan.kind = take_word(text, names);
  for (; *text >= '0' && *text <= '9'; ++text) plan.number = 10 * plan.number + (*text - '0');
  if (*text++ != ' ') _exit(125);
  plan.effect = static_cast<Effect>(take_word(text, kEffects));
}

// Runs before the C library has set itself up, which therefore does not know the environment yet.
[[gnu::constructor]] void begin(int, char**, char** environment) {
  constexpr char kName[] = "FP8Q_FAULT=";
  for (; *environment; ++environment)
    if (strncmp(*environment, kName, strlen(kName)) == 0) read_plan(*environment + strlen(kName));
  counting = true;
}

[[gnu::destructor]] void end() {
  counting = false;
  const char* path = getenv("FP8Q_FAULT_COUNTS");
  FILE* file = path ? fopen(path, "w") : nullptr;
  if (!file) return;
  for (size_t i = 0; i < std::size(kFaultKinds); ++i)
    fprintf(file, "%s %ld\n", kFaultKinds[i].name, counts[i].load());
  fclose(file);
}

}  // namespace

Effect next(FaultKind kind) {
  if (!counting) return Effect::none;
  const long number = ++counts[static_cast<size_t>(kind)];
  if (plan.kind != static_cast<long>(kind)) return Effect::none;
  if (number == plan.number) return plan.effect;
  return plan.effect == Effect::onwards && number > plan.number ? Effect::once : Effect::none;
}

}  // namespace fp8q::test
