#include "tools/fp8q/command_line.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace fp8q::cli {
namespace {

// Returns what is wrong with the text, or nothing. CLI11's own ranges accept NaN, which compares
// false with both of their ends.
std::string problem_unless_finite(const std::string& text) {
  double value = 0;
  const bool finite = CLI::detail::lexical_cast(text, value) && std::isfinite(value);
  return finite ? "" : text + " is not a finite number";
}

std::string problem_unless_not_negative(const std::string& text) {
  double value = 0;
  const bool accepted = CLI::detail::lexical_cast(text, value) && value >= 0;
  return accepted ? "" : text + " is not a number of 0 or more";
}

}  // namespace

Option Option::type_name(const std::string& name) { return Option(option_->type_name(name)); }

Option Option::group(const std::string& title) { return Option(option_->group(title)); }

Option Option::help(const std::string& text) { return Option(option_->description(text)); }

Option Option::show_default() { return Option(option_->capture_default_str()); }

Option Option::default_text(const std::string& text) {
  return Option(option_->default_function([text] { return text; }));
}

Option Option::required() { return Option(option_->required()); }

Option Option::needs(Option other) { return Option(option_->needs(other.option_)); }

Option Option::excludes(Option other) { return Option(option_->excludes(other.option_)); }

Option Option::range(int least, int most) {
  return Option(option_->check(CLI::Range(least, most)));
}

Option Option::range(double least, double most) {
  return Option(option_->check(CLI::Range(least, most)));
}

Option Option::not_negative() {
  return Option(option_->check(problem_unless_not_negative, "NONNEGATIVE"));
}

Option Option::one_of(const std::vector<std::string>& words) {
  return Option(option_->check(CLI::IsMember(words)));
}

Option Option::comma_separated() { return Option(option_->delimiter(',')); }

Option Option::one_value_at_a_time() { return Option(option_->allow_extra_args(false)); }

bool Option::given() const { return option_->count() > 0; }

std::string Option::name() const { return option_->get_name(); }

namespace {

// CLI11 takes "-1" and numbers of more than 64 bits for unsigned numbers, and wraps them.
std::string problem_with_unsigned(const std::string& text) {
  if (text.find('-') != text.npos) return text + " is not a number of 0 or more";
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc::result_out_of_range ? text + " is too large" : "";
}

template <typename T>
constexpr bool kFloating = std::is_same_v<T, double> || std::is_same_v<T, std::optional<double>>;
template <typename T>
constexpr bool kUnsigned = std::is_same_v<T, size_t> || std::is_same_v<T, std::optional<size_t>> ||
                           std::is_same_v<T, std::vector<size_t>>;

template <typename T, typename Take>
CLI::Option* add_function(CLI::App& app, const char* names, Take take, const std::string& help) {
  const std::function<void(const T&)> guarded = [take = std::move(take)](const T& value) {
    try {
      take(value);
    } catch (const Error& e) {
      throw CLI::ValidationError(e.what());
    }
  };
  return app.add_option_function<T>(names, guarded, help);
}

}  // namespace

Option Command::option(const char* names, const Target& target, const std::string& help) {
  const auto add = [&]<typename T>(T* value) {
    CLI::Option* option = app_->add_option(names, *value, help);
    if constexpr (kUnsigned<T>) option->check(problem_with_unsigned);
    if constexpr (kFloating<T>) option->check(problem_unless_finite);
    return Option(option);
  };
  return std::visit(add, target);
}

Option Command::option(const char* names, std::function<void(int)> take, const std::string& help) {
  return Option(add_function<int>(*app_, names, std::move(take), help));
}

Option Command::option(const char* names, std::function<void(const std::string&)> take,
                       const std::string& help) {
  return Option(add_function<std::string>(*app_, names, std::move(take), help));
}

Option Command::flag(const char* names, bool* target, const std::string& help) {
  return Option(app_->add_flag(names, *target, help));
}

void Command::footer(const std::string& text) { app_->footer(text); }

void Command::action(std::function<void()> perform) {
  app_->callback([perform = std::move(perform), chosen = chosen_] { *chosen = perform; });
}

CommandLine::CommandLine(const ProgramTexts& texts)
    : program_(std::make_unique<CLI::App>(texts.description, texts.name)) {
  program_->set_version_flag("--version", texts.name + " " + texts.version);
  program_->require_subcommand(1);
  program_->footer(texts.footer);
}

CommandLine::~CommandLine() = default;

Command CommandLine::command(const char* name, const std::string& description) {
  return Command(program_->add_subcommand(name, description), &chosen_);
}

std::optional<int> CommandLine::parse(int argc, const char* const* argv) try {
  program_->parse(argc, argv);
  return std::nullopt;
} catch (const CLI::ParseError& e) {
  const auto rest = program_->remaining();
  if (!rest.empty() && program_->get_subcommands().empty()) {
    fmt::print(stderr, "'{}' is neither a command nor an option; {} --help lists them\n",
               printable(rest.front()), program_->get_name());
    return static_cast<int>(ErrorCode::usage);
  }
  if (e.get_exit_code() == 0) return program_->exit(e);  // --help, --version
  fmt::print(stderr, "{}\nRun with --help for more information.\n",
             printable(e.what(), kMaxPrintedMessage));
  return static_cast<int>(ErrorCode::usage);
}

}  // namespace fp8q::cli
