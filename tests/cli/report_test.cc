// fp8q report: after the three lines, and of files named by the user.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace fp8q::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReportCommand : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(source_dir() / "models" / "demo-sst2", folder(), fs::copy_options::recursive);
  }
  fs::path folder() const { return temporary_.path() / "demo"; }
  ProcessResult in_folder(const std::vector<std::string>& arguments) const {
    return run_fp8q(arguments, {.folder = folder()});
  }
  std::string ok(const std::vector<std::string>& arguments) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out;
  }
  void refused(const std::vector<std::string>& arguments, int code, const std::string& word) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, code) << r.out;
    EXPECT_THAT(r.err, HasSubstr(word));
  }
  std::string text_of(const std::string& file) const {
    std::ifstream in(folder() / file);
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
  }

  TemporaryFolder temporary_;
};

TEST_F(ReportCommand, ShowsWhatTheFolderHolds) {
  ok({"calibrate", "model.onnx", "--examples", "8"});
  ok({"convert", "--format", "int8"});
  ok({"eval", "--task", "sst2", "--limit", "20"});
  EXPECT_THAT(ok({"report"}), AllOf(HasSubstr("fp8q-report.html"), HasSubstr("statistics"),
                                    HasSubstr("eval-sst2-model.int8.json")));
  const std::string page = text_of("fp8q-report.html");
  for (const char* words : {"Accuracy", "int8: SQNR by layer", "model.onnx: activations in e4m3"})
    EXPECT_THAT(page, HasSubstr(words));
  ok({"report", "--title", "Again"});  // its own page is replaced
  EXPECT_THAT(text_of("fp8q-report.html"), HasSubstr("<h1>Again</h1>"));
  // A new calibration begins a new session.
  ok({"calibrate", "model.onnx", "--examples", "4"});
  ok({"report"});
  EXPECT_THAT(text_of("fp8q-report.html"), Not(HasSubstr("int8: SQNR by layer")));
}

TEST_F(ReportCommand, OfNamedFilesWithoutAWorkspace) {
  ok({"inspect", "model.onnx", "--json", "facts.json"});
  EXPECT_FALSE(fs::exists(folder() / ".fp8q"));
  const auto r = nlohmann::json::parse(ok({"report", "facts.json", "-o", "x.html", "--json", "-"}));
  EXPECT_EQ(r["schema"], "fp8q/report/1");
  EXPECT_EQ(r["files"][0]["schema"], "inspect");
  EXPECT_EQ(r["output"]["bytes"], fs::file_size(folder() / "x.html"));
}

TEST_F(ReportCommand, RefusesWhatItCannotShowOrMustNotReplace) {
  refused({"report"}, 2, "workspace");
  refused({"report", "config.json"}, 5, "config.json");
  refused({"report", "absent.json"}, 6, "absent.json");
  ok({"inspect", "model.onnx", "--json", "facts.json"});
  refused({"report", "facts.json", "-o", "facts.json"}, 2, "facts.json");
  std::ofstream(folder() / "mine.html") << "<html>mine</html>";
  refused({"report", "facts.json", "-o", "mine.html"}, 6, "mine.html");
  EXPECT_EQ(text_of("mine.html"), "<html>mine</html>");
  ok({"report", "facts.json", "-o", "mine.html", "--force"});
}

}  // namespace
}  // namespace fp8q::test
