// JSON from untrusted files: bounded depth, no duplicate keys, errors that name the file.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace fp8q {

// Parses the content of `path`. Fails with ErrorCode::bad_data.
nlohmann::json parse_json(const std::filesystem::path& path, const std::string& bytes);

}  // namespace fp8q
