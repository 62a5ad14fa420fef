// Tests weights in other files. They may be only beneath the model's folder, and must be whole
// ranges of real files.
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "onnx/load.h"
#include "tests/support/paths.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

class ExternalDataTest : public testing::Test {
 protected:
  ExternalDataTest() {
    std::string bytes;
    for (int i = 0; i < 9; ++i) {
      const auto value = static_cast<float>(10 + i);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    folder.write("model/W.bin", "pad:" + bytes);
    folder.write("secret", "pad:" + bytes);
  }

  using Entries = std::vector<std::pair<std::string, std::string>>;

  fs::path write(const Entries& entries) const {
    onnx::ModelProto proto = tiny_model();
    auto& tensor = *proto.mutable_graph()->mutable_initializer(0);
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto_DataLocation_EXTERNAL);
    for (const auto& [key, value] : entries) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    return folder.write("model/model.onnx", proto.SerializeAsString());
  }

  Model load(const Entries& entries) const { return load_model(write(entries)); }

  void expect_refused(const Entries& entries, const std::string& part,
                      ErrorCode code = kBad) const {
    expect_error(code, part, [&] { load(entries); });
  }

  TemporaryFolder folder;
};

TEST_F(ExternalDataTest, IsRead) {
  const Model model = load({{"location", "W.bin"}, {"offset", "4"}, {"length", "36"}});
  EXPECT_EQ(model.graph.initializers.at("W").data<float>()[8], 18.0F);
  EXPECT_NO_THROW(load({{"location", "W.bin"}, {"offset", "4"}, {"checksum", "x"}}));
}

TEST_F(ExternalDataTest, LocationStaysInTheFolder) {
  expect_refused({{"location", "../secret"}, {"offset", "4"}}, "leaves the model's folder");
  expect_refused({{"location", "a/../../secret"}, {"offset", "4"}}, "leaves the model's folder");
  expect_refused({{"location", (folder.path() / "secret").string()}}, "not a relative path");
  expect_refused({{"location", ""}}, "no location");
  expect_refused({}, "no location");
  expect_refused({{"location", "absent.bin"}}, "absent.bin", ErrorCode::file);
  fs::create_directory(folder.path() / "model/sub");
  expect_refused({{"location", "sub"}}, "folder", ErrorCode::file);
}

TEST_F(ExternalDataTest, LinksThatLeaveTheFolderAreRefused) {
  fs::create_symlink("../secret", folder.path() / "model/symbolic");
  expect_refused({{"location", "symbolic"}, {"offset", "4"}}, "symbolic link");
  fs::create_symlink(folder.path() / "secret", folder.path() / "model/absolute");
  expect_refused({{"location", "absolute"}, {"offset", "4"}}, "put the file itself beside");
  fs::create_directory_symlink("..", folder.path() / "model/up");
  expect_refused({{"location", "up/secret"}, {"offset", "4"}}, "symbolic link");
  fs::create_symlink("around", folder.path() / "model/around");
  expect_refused({{"location", "around"}}, "around", ErrorCode::file);
  fs::create_symlink("nowhere", folder.path() / "model/dangling");
  expect_refused({{"location", "dangling"}}, "dangling", ErrorCode::file);
}

TEST_F(ExternalDataTest, LinksThatStayInTheFolderAreFollowed) {
  fs::create_symlink("W.bin", folder.path() / "model/same");
  fs::create_symlink(folder.path() / "model/W.bin", folder.path() / "model/absolute");
  fs::create_directory_symlink(".", folder.path() / "model/here");
  for (const char* location : {"same", "absolute", "here/W.bin", "./here/same"})
    EXPECT_NO_THROW(load({{"location", location}, {"offset", "4"}})) << location;
}

TEST_F(ExternalDataTest, HardLinksAreFilesLikeOthers) {
  fs::create_hard_link(folder.path() / "model/W.bin", folder.path() / "model/hard");
  EXPECT_NO_THROW(load({{"location", "hard"}, {"offset", "4"}}));
}

// The caches of model hubs link every file of a model to one in a folder of their contents.
class HubCache : public ExternalDataTest {
 protected:
  HubCache() {
    const fs::path real = write({{"location", "W.data"}, {"offset", "4"}});
    fs::create_directories(folder.path() / "cache/blobs");
    fs::rename(real, folder.path() / "cache/blobs/0a");
    fs::rename(folder.path() / "model/W.bin", folder.path() / "cache/blobs/0b");
    fs::create_directories(snapshot());
    fs::create_symlink("../../../blobs/0a", snapshot() / "model.onnx");
    link_data("../../../blobs/0b");
  }
  fs::path snapshot() const { return folder.path() / "cache/snapshots/1/onnx"; }
  void link_data(const fs::path& target) {
    fs::remove(snapshot() / "W.data");
    fs::create_symlink(target, snapshot() / "W.data");
  }
};

TEST_F(HubCache, DataInTheFolderOfTheModelsRealFileIsRead) {
  const Model model = load_model(snapshot() / "model.onnx");
  EXPECT_EQ(model.graph.initializers.at("W").data<float>()[8], 18.0F);
  link_data(folder.path() / "cache/blobs/0b");
  EXPECT_NO_THROW(load_model(snapshot() / "model.onnx"));
  fs::create_directory_symlink(snapshot(), folder.path() / "linked");
  EXPECT_NO_THROW(load_model(folder.path() / "linked/model.onnx"));
}

TEST_F(HubCache, DataElsewhereIsRefused) {
  const auto refused = [&] {
    expect_error(kBad, "symbolic link", [&] { load_model(snapshot() / "model.onnx"); });
  };
  link_data(folder.path() / "secret");
  refused();
  fs::create_directory(folder.path() / "cache/blobs/below");
  fs::copy(folder.path() / "secret", folder.path() / "cache/blobs/below/0c");
  link_data("../../../blobs/below/0c");
  refused();
  // A link among the real files does not lead out of them either.
  fs::create_symlink(folder.path() / "secret", folder.path() / "cache/blobs/0d");
  link_data("../../../blobs/0d");
  refused();
}

// A file that nobody reached through a link says nothing about other folders.
TEST_F(HubCache, AFileInPlaceOfTheModelsLinkIsRefused) {
  fs::remove(snapshot() / "model.onnx");
  fs::copy(folder.path() / "cache/blobs/0a", snapshot() / "model.onnx");
  expect_error(kBad, "symbolic link", [&] { load_model(snapshot() / "model.onnx"); });
}

TEST_F(ExternalDataTest, FilesAreNamedWithoutReadingThem) {
  const fs::path path = write({{"location", "sub/absent.bin"}});
  EXPECT_EQ(external_files_of(path), std::vector<fs::path>{folder.path() / "model/sub/absent.bin"});
  EXPECT_TRUE(external_files_of(folder.write("model/none.onnx", "no model")).empty());
  EXPECT_TRUE(external_files_of(folder.path() / "absent.onnx").empty());
}

TEST_F(ExternalDataTest, IdentityCoversTheDataFiles) {
  const fs::path path = write({{"location", "W.bin"}, {"offset", "4"}});
  const FileFacts facts = load_model_with_files(path).files.facts(path);
  const fs::path data = folder.path() / "model/W.bin";
  EXPECT_EQ(facts.path, path);
  EXPECT_EQ(facts.bytes, fs::file_size(path) + 40);
  EXPECT_EQ(facts.sha256, sha256(sha256_file(path) + "\n" + sha256_file(data) + " W.bin\n"));
  std::string bytes = read_file(data, 40);
  bytes.back() ^= 1;
  folder.write("model/W.bin", bytes);
  EXPECT_NE(load_model_with_files(path).files.facts(path).sha256, facts.sha256);
}

TEST_F(ExternalDataTest, IdentityOfOneFileIsItsHash) {
  const fs::path path = folder.write("one.onnx", tiny_model().SerializeAsString());
  const FileFacts facts = load_model_with_files(path).files.facts(path);
  EXPECT_EQ(facts.sha256, sha256_file(path));
  EXPECT_EQ(facts.bytes, fs::file_size(path));
}

TEST_F(ExternalDataTest, NotFromMemory) {
  const fs::path path = write({{"location", "W.bin"}, {"offset", "4"}});
  expect_error(kBad, "not available here", [&] { parse_model(read_file(path, 1 << 20), "bytes"); });
}

TEST_F(ExternalDataTest, Numbers) {
  for (const char* offset : {"-4", "4x", "", " 4", "0x4", "99999999999999999999999"})
    expect_refused({{"location", "W.bin"}, {"offset", offset}}, "whole number");
  for (const char* offset : {"5", "40", "18446744073709551615", "9223372036854775807"})
    expect_refused({{"location", "W.bin"}, {"offset", offset}}, "has only 40");
  expect_refused({{"location", "W.bin"}, {"offset", "4"}, {"length", "35"}}, "36 are expected");
  expect_refused({{"location", "W.bin"}, {"length", "1000000000000000"}}, "36 are expected");
}

TEST_F(ExternalDataTest, Keys) {
  expect_refused({{"location", "W.bin"}, {"offset", "4"}, {"offset", "0"}}, "\"offset\" twice");
  expect_refused({{"location", "W.bin"}, {"mode", "rw"}}, "unknown key \"mode\"");
}

TEST_F(ExternalDataTest, RangesMayBeSharedButNotOverlap) {
  const auto load_two = [&](const std::string& second_offset) {
    onnx::ModelProto proto = tiny_model();
    *proto.mutable_graph()->add_initializer() = proto.graph().initializer(0);
    proto.mutable_graph()->mutable_initializer(2)->set_name("V");
    for (const int i : {0, 2}) {
      auto& tensor = *proto.mutable_graph()->mutable_initializer(i);
      tensor.clear_raw_data();
      tensor.set_data_location(onnx::TensorProto_DataLocation_EXTERNAL);
      for (const auto& [key, value] :
           Entries{{"location", "W.bin"}, {"offset", i == 0 ? "4" : second_offset}}) {
        auto& entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
      }
    }
    return load_model(folder.write("model/two.onnx", proto.SerializeAsString()));
  };
  const Model shared = load_two("4");
  EXPECT_EQ(shared.graph.initializers.at("V").bytes(), shared.graph.initializers.at("W").bytes());
  expect_error(kBad, "overlaps", [&] { load_two("0"); });
}

TEST_F(ExternalDataTest, NotBesideAPayload) {
  onnx::ModelProto proto = tiny_model();
  auto& entry = *proto.mutable_graph()->mutable_initializer(0)->add_external_data();
  entry.set_key("location");
  entry.set_value("W.bin");
  expect_parse_error(kBad, "not stored there", proto);
  proto.mutable_graph()->mutable_initializer(0)->set_data_location(
      onnx::TensorProto_DataLocation_EXTERNAL);
  expect_parse_error(kBad, "external data and a payload", proto);
}

}  // namespace
}  // namespace fp8q::test
