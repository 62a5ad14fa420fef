// Reads external data of models, in a folder with links that stay in it or lead out of it, a FIFO
// and folders, beside which stands a file whose bytes nothing may ever show. The input chooses
// whether the model lies in that folder or is a link into another one, as in the caches of model
// hubs, and gives location, offset, length and type of the data.
#include <sys/stat.h>

#include <fstream>
#include <vector>

#include "onnx/load.h"
#include "onnx/proto.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

namespace fs = std::filesystem;

constexpr char kOurs = 'd', kCanary = 'x';  // what files hold that may be read, and others

// A folder that is laid out once.
struct Planted {
  TemporaryFolder root;
  fs::path models, blobs;  // the models' folder, and where links of a cache lead to

  Planted() {
    const std::string canary(4096, kCanary), ours(64, kOurs);
    const fs::path outside = root.write("canary", canary);
    root.write("models-beside/data", canary);
    models = root.write("models/data", ours).parent_path();
    blobs = root.write("blobs/data", ours).parent_path();
    root.write("models/sub/data", ours);
    fs::create_symlink(outside, models / "link");
    fs::create_symlink("data", models / "near");
    fs::create_symlink("..", models / "up");
    fs::create_symlink("../..", models / "sub/up");
    fs::create_symlink("/", models / "root");
    fs::create_symlink("loop", models / "loop");
    fs::create_symlink("../blobs/data", models / "cached");
    fs::create_symlink("../canary", blobs / "link");
    fs::create_symlink("../blobs/link", models / "twice");
    fs::create_symlink("../blobs/model", models / "linked.onnx");
    require(mkfifo((models / "fifo").c_str(), 0600) == 0, "mkfifo");
  }
};

const Planted& planted() {
  static const Planted planted;
  return planted;
}

std::string location(ByteSource& bytes) {
  static const std::vector<std::string> parts = {"data",
                                                 "sub",
                                                 "link",
                                                 "near",
                                                 "up",
                                                 "root",
                                                 "loop",
                                                 "cached",
                                                 "twice",
                                                 "blobs",
                                                 "fifo",
                                                 "..",
                                                 ".",
                                                 "",
                                                 "canary",
                                                 "models",
                                                 "models-beside",
                                                 "dev",
                                                 "proc",
                                                 "self",
                                                 "cwd",
                                                 "fd",
                                                 "zero",
                                                 "stdin",
                                                 "no-such",
                                                 "%2e%2e",
                                                 "..\\",
                                                 "~",
                                                 std::string(1, 0),
                                                 "tmp",
                                                 "*",
                                                 "\xFF",
                                                 "passwd",
                                                 "*/_ORT_MEM_ADDR_/*"};
  if (bytes.flag()) return std::string(bytes.rest().substr(0, 300));
  std::string path;
  if (bytes.below(8) == 0) path = planted().models.string() + "/";
  for (size_t count = 1 + bytes.below(6); count > 0; --count)
    path += bytes.one_of(parts) + (count > 1 ? "/" : "");
  return path;
}

std::string number(ByteSource& bytes) {
  static const std::vector<std::string> odd = {"0",
                                               "1",
                                               "8",
                                               "63",
                                               "64",
                                               "65",
                                               "4096",
                                               "-1",
                                               "-64",
                                               "9223372036854775807",
                                               "+1",
                                               "0x10",
                                               " 1",
                                               "1 ",
                                               "1e3",
                                               "",
                                               "18446744073709551615",
                                               "18446744073709551552",
                                               "1099511627776",
                                               "99999999999999999999"};
  return bytes.one_of(odd);
}

onnx::ModelProto model_of(ByteSource& bytes) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  auto& import = *model.add_opset_import();
  import.set_domain("");
  import.set_version(21);
  model.mutable_graph()->set_name("g");
  for (size_t count = 1 + bytes.below(3); count > 0; --count) {
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("w" + std::to_string(count));
    tensor.set_data_type(bytes.flag() ? onnx::TensorProto::UINT8 : onnx::TensorProto::FLOAT);
    tensor.add_dims(bytes.flag() ? bytes.below(65) : int64_t{1} << bytes.below(63));
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const std::string& key, const std::string& value) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    if (bytes.below(4) != 0) add("offset", number(bytes));
    if (bytes.below(4) != 0) add("length", number(bytes));
    if (bytes.below(8) == 0) add("checksum", "0");
    if (bytes.below(16) == 0) add("offset", "0");
    if (bytes.below(16) == 0) add("key", "value");
    add("location", location(bytes));
  }
  return model;
}

void check(const onnx::ModelProto& proto, bool cached) {
  const fs::path file = cached ? planted().blobs / "model" : planted().models / "model.onnx";
  std::ofstream(file, std::ios::binary) << proto.SerializeAsString();
  const Model model = load_model(cached ? planted().models / "linked.onnx" : file);
  for (const auto& [name, tensor] : model.graph.initializers)
    for (size_t i = 0; i < tensor.nbytes(); ++i)
      require(tensor.bytes()[i] == std::byte{kOurs}, "a byte that is not of the model's files");
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q::test;
  ByteSource bytes(data, size);
  const bool cached = bytes.below(4) == 3;
  succeeds([&] { check(model_of(bytes), cached); });
  return 0;
}
