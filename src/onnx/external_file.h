// Opens the files that a model keeps its weights in.
//
// Their locations come from the model's file, which is untrusted. What the user named is trusted:
// the model's file and the folder that it is in, links to them included. A location is a relative
// path below that folder, without "..". A symbolic link on the way is followed only if
// - it stays inside the folder, or
// - the model's file is itself reached by a link, and the link leads into the folder of the model's
//   real file (the caches of model hubs keep all files of a model in one folder of such).
// The file that is opened is then a regular file in one of these two folders, whatever happens to
// the links meanwhile. No file can make a hard link, so these are files like others.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "onnx/proto.h"

namespace fp8q {

// `model` is the file that the user named. Throws an Error (bad_model) if the rules refuse the
// location, or an Error (file) if the file cannot be opened or is not a regular file.
OpenedFile open_external_file(const fs::path& model, const std::string& location);

// Returns the locations that the tensors of the model name, as they are there, each once.
std::vector<std::string> external_locations(const onnx::ModelProto& proto);

}  // namespace fp8q
