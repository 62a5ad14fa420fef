// What the readers of tokenizer files share. For .cc files only: it needs nlohmann/json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/json_view.h"
#include "text/tokenizer_spec.h"

namespace fp8q {

using TokenIds = std::unordered_map<std::string, int32_t>;

// An object of tokens with their ids, which must be distinct.
std::vector<std::pair<std::string, int32_t>> read_vocabulary(const JsonView& vocab);

// The id of a token that must be in the vocabulary; `where` is the place that names it.
int32_t special_id(const JsonView& where, const TokenIds& ids, const std::string& token);

// The merge of two tokens. Both and what they make must be in the vocabulary; `where` is for the
// message.
Merge resolve_merge(const std::string& where, const TokenIds& ids, const std::string& left,
                    const std::string& right);

// The unknown token of a byte-level model, if it is in the vocabulary. Fails where a byte has no
// token and neither has the unknown one.
std::optional<int32_t> byte_level_unk(const std::string& where, const TokenIds& ids,
                                      const std::string& unk_token);

// An element of "added_tokens" or "added_tokens_decoder" without its id.
AddedToken parse_added_token(const JsonView& token);

// Fails unless a token that is also in the vocabulary has the same id there.
void check_added_id(const std::string& where, const TokenIds& ids, const AddedToken& token);

// [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type ids 0 and 1: BERT's frame.
void set_bert_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id);

// <s> A </s> and <s> A </s></s> B </s> with type ids 0: RoBERTa's frame.
void set_roberta_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id);

// The components of a tokenizer.json; `root` is the whole of it.
void read_model(const JsonView& root, TokenizerSpec& spec);
void read_normalizer(const JsonView& root, TokenizerSpec& spec);
void read_pre_tokenizer(const JsonView& root, TokenizerSpec& spec);
void read_post_processor(const JsonView& root, const TokenIds& ids, TokenizerSpec& spec);

// Refuses a component by the name of its type.
[[noreturn]] void refuse_type(const JsonView& component, const std::string& type,
                              std::string_view handled);

// Refuses an option of a component that is not what fp8q handles.
[[noreturn]] void refuse_option(const JsonView& component, std::string_view option,
                                std::string_view handled);

}  // namespace fp8q
