// Declares functions that the readers of tokenizer files share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "json/value.h"
#include "text/tokenizer_spec.h"

namespace fp8q {

using TokenIds = std::unordered_map<std::string, int32_t>;

// Says where something is in a file. It is called only to make a message.
using Place = std::function<std::string()>;

// Reads an object of tokens with their ids, which must be distinct.
std::vector<std::pair<std::string, int32_t>> read_vocabulary(const json::Value& vocab);

// Returns the id of a token that `component` names and that must be in the vocabulary.
int32_t special_id(const json::Value& component, const TokenIds& ids, const std::string& token);

// Returns the merge of two tokens. Both tokens and their result must be in the vocabulary.
Merge resolve_merge(const Place& where, const TokenIds& ids, const std::string& left,
                    const std::string& right);

// Returns whether every byte has a token of its own, as in all vocabularies of byte-level BPE.
bool has_every_byte(const TokenIds& ids);

// Returns the unknown token of a byte-level model, if it is in the vocabulary. Fails if it is not
// and a byte has no token.
std::optional<int32_t> byte_level_unk(const Place& where, const TokenIds& ids,
                                      const std::string& unk_token);

// Reads an element of "added_tokens" or "added_tokens_decoder" without its id.
AddedToken parse_added_token(const json::Value& token);

// Fails unless a token that is also in the vocabulary has the same id there.
void check_added_id(const Place& where, const TokenIds& ids, const AddedToken& token);

// Sets BERT's frame: [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type ids 0 and 1.
void set_bert_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id);

// Sets RoBERTa's frame: <s> A </s> and <s> A </s></s> B </s> with type ids 0.
void set_roberta_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id);

// These read the components of a tokenizer.json. `root` is the whole file.
void read_model(const json::Value& root, TokenizerSpec& spec);
void read_normalizer(const json::Value& root, TokenizerSpec& spec);
void read_pre_tokenizer(const json::Value& root, TokenizerSpec& spec);
void read_post_processor(const json::Value& root, const TokenIds& ids, TokenizerSpec& spec);

// Refuses a component by the name of its type.
[[noreturn]] void refuse_type(const json::Value& component, const std::string& type,
                              std::string_view handled);

// Refuses an option of a component that is not what fp8q handles.
[[noreturn]] void refuse_option(const json::Value& component, std::string_view option,
                                std::string_view handled);

}  // namespace fp8q
