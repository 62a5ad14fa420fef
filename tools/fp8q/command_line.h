// Declares the command line: a program of commands, each with its options, its positional
// arguments, and the action that runs if all of them are accepted.
//
// CLI11 reads the arguments, checks them, and writes help and errors. Only command_line.cc includes
// it, because its headers take many times longer to compile than those of the rest of the program.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fp8q::cli {

// Points to the variable that gets the value of an option. It must live as long as the CommandLine.
// A list takes all values, and its option may be given several times. Its initial content is the
// default.
using Target = std::variant<std::string*, std::filesystem::path*,
                            std::optional<std::filesystem::path>*, size_t*, std::optional<size_t>*,
                            double*, std::optional<double>*, std::vector<std::string>*,
                            std::vector<std::filesystem::path>*, std::vector<size_t>*>;

// Stands for one option or positional argument of a Command. Copies stand for the same option, and
// each is valid as long as the CommandLine. Declaring functions return the option again, so that
// one chain can declare everything about it.
class Option {
 public:
  Option() = default;  // stands for no option; assign before use

  // These set what help shows.
  Option type_name(const std::string& name);  // name of its value: "FILE"
  Option group(const std::string& title);     // heading above it
  Option help(const std::string& text);       // replaces the help text of its declaration
  Option show_default();                      // shows the current value of its target

  // These set what is accepted. Anything else is a usage error.
  Option required();
  Option needs(Option other);
  Option excludes(Option other);
  Option range(int least, int most);  // whole numbers
  Option range(double least, double most);
  Option not_negative();
  Option one_of(const std::vector<std::string>& words);
  Option comma_separated();      // for lists: one argument may hold several values
  Option one_value_at_a_time();  // for lists: the name comes before each value

  // These are valid after CommandLine::parse().
  bool given() const;
  std::string name() const;  // "--output" of "-o,--output"

 private:
  friend class Command;
  explicit Option(CLI::Option* option) : option_(option) {}
  Option default_text(const std::string& text);  // for show_default() if there is no target

  CLI::Option* option_ = nullptr;
};

// Pairs a word of an option with the value it stands for.
template <typename T>
struct Choice {
  std::string word;
  T value;
};

// Declares one command. `names` are "-o,--output", or "MODEL" for a positional argument. The order
// of the calls is the order in help.
class Command {
 public:
  Option option(const char* names, const Target& target, const std::string& help);
  // These options pass their value to a function. The function may throw an Error, which is
  // reported like any other error of the command line.
  Option option(const char* names, std::function<void(int)> take, const std::string& help);
  Option option(const char* names, std::function<void(const std::string&)> take,
                const std::string& help);
  // Declares an option that takes one of several words. The value of `target` is the default.
  template <typename T>
  Option choice(const char* names, const std::vector<Choice<T>>& choices, T* target,
                const std::string& help);
  Option flag(const char* names, bool* target, const std::string& help);

  void footer(const std::string& text);        // end of its help
  void action(std::function<void()> perform);  // CommandLine::run() calls it

 private:
  friend class CommandLine;
  Command(CLI::App* app, std::function<void()>* chosen) : app_(app), chosen_(chosen) {}

  CLI::App* app_;
  std::function<void()>* chosen_;  // the action of the command that was given
};

// Holds what the program says about itself.
struct ProgramTexts {
  std::string name;
  std::string description;
  std::string version;  // for --version
  std::string footer;   // end of its help
};

class CommandLine {
 public:
  explicit CommandLine(const ProgramTexts& texts);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  Command command(const char* name, const std::string& description);

  // Reads the arguments, one of which must be a command, into the targets. If there is no result,
  // call run(). Otherwise the program must end with this code, and the reason is already printed: 0
  // after help or version on standard output, ErrorCode::usage after a message on standard error.
  std::optional<int> parse(int argc, const char* const* argv);
  void run() const { chosen_(); }

 private:
  std::unique_ptr<CLI::App> program_;
  std::function<void()> chosen_;
};

template <typename T>
Option Command::choice(const char* names, const std::vector<Choice<T>>& choices, T* target,
                       const std::string& help) {
  std::vector<std::string> words;
  std::string initial;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    if (value == *target) initial = word;
  }
  const auto take = [choices, target](const std::string& text) {
    for (const auto& [word, value] : choices)
      if (word == text) *target = value;
  };
  return option(names, take, help).one_of(words).default_text(initial);
}

}  // namespace fp8q::cli
