// Makes one small valid file of every kind of JSON that fp8q reads.
#pragma once

#include <string>

namespace fp8q::test {

inline constexpr const char* kSampleSettings = "settings";  // of sample_checkpoint()

std::string sample_statistics();
std::string sample_plan();
std::string sample_evaluation();
std::string sample_checkpoint();
std::string sample_manifest();
std::string sample_config();
std::string sample_tokenizer();
std::string sample_byte_level_tokenizer();
std::string sample_byte_vocabulary();
std::string sample_merges();
std::string sample_vocabulary();
std::string sample_tokenizer_config();
std::string sample_result();
std::string sample_workspace();

}  // namespace fp8q::test
