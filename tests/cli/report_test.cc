// Tests fp8q report after the three lines, and on files named by the user.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReportCommand : public DemoFolder {
 protected:
  void refused(const std::vector<std::string>& arguments, int code, const std::string& word) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, code) << r.out;
    EXPECT_THAT(r.err, HasSubstr(word));
  }
};

TEST_F(ReportCommand, ShowsWhatTheFolderHolds) {
  ok({"calibrate", "model.onnx", "--examples", "8"});
  ok({"convert", "--format", "int8"});
  ok({"eval", "--task", "sst2", "--limit", "20"});
  EXPECT_THAT(ok({"report"}), AllOf(HasSubstr("fp8q-report.html"), HasSubstr("statistics"),
                                    HasSubstr("eval-sst2-model.int8.json")));
  const std::string page = bytes("fp8q-report.html");
  for (const char* words : {"Accuracy", "int8: SQNR by layer", "model.onnx: activations in e4m3"})
    EXPECT_THAT(page, HasSubstr(words));
  ok({"report", "--title", "Again"});  // its own page is replaced
  EXPECT_THAT(bytes("fp8q-report.html"), HasSubstr("<h1>Again</h1>"));
  // A new calibration begins a new session.
  ok({"calibrate", "model.onnx", "--examples", "4"});
  ok({"report"});
  EXPECT_THAT(bytes("fp8q-report.html"), Not(HasSubstr("int8: SQNR by layer")));
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
  EXPECT_EQ(bytes("mine.html"), "<html>mine</html>");
  ok({"report", "facts.json", "-o", "mine.html", "--force"});
}

}  // namespace
}  // namespace fp8q::test
