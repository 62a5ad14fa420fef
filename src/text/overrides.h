// Settles contradictions between a tokenizer.json and the tokenizer_config.json beside it.
#pragma once

#include "json/value.h"
#include "text/spec_readers.h"

namespace fp8q {

// Changes `spec`, read from the tokenizer.json `root`, as AutoTokenizer of `transformers` does:
//
//   do_lower_case, strip_accents, tokenize_chinese_chars  change a BertNormalizer, unless the class
//                                                         is one for any tokenizer
//   add_prefix_space, trim_offsets                        change ByteLevel and RobertaProcessing
//   cls_token, sep_token, unk_token                       change nothing that a text meets
//
// Only what tokenizer_config.json states counts, not the defaults of a class, which differ between
// versions. Every contradiction becomes a note of the spec. Source: PreTrainedTokenizerFast,
// BertTokenizerFast and RobertaTokenizerFast of transformers 4.46.
void apply_tokenizer_config(const json::Value& root, const TokenizerFiles& files,
                            const TokenIds& ids, TokenizerSpec& spec);

}  // namespace fp8q
