// How an answer to a question is compared with the reference answers: SQuAD's official evaluation
// script (Rajpurkar et al., 2016 and 2018).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

// Lower case; ASCII punctuation removed; the words a, an and the removed; words separated by single
// spaces. As the official script does it with Python's strings, except that a capital sigma always
// becomes the medial letter, in references and answers alike.
std::string normalize_answer(std::string_view text);

struct AnswerScore {
  double exact = 0;  // 1 where the normalized texts are equal
  double f1 = 0;     // of the words they share, counted with repetition
};

// The best score over all references, for each measure by itself. Where there is no reference, the
// right answer is the empty one. `unanswerable` is the rule of SQuAD v2.0: references without a
// word do not count, and two answers without a word share everything; in v1.1 they share nothing.
AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& references,
                         bool unanswerable);

// What is known about one question when the threshold of not answering is chosen.
struct ThresholdCase {
  double null_difference = 0;  // how much better "no answer" scores than the best answer
  double answered = 0;         // what the best answer is worth, 0..1
  double unanswered = 0;       // what no answer is worth: 1 where there is none, else 0
};

struct BestThreshold {
  double threshold = 0;
  double score = 0;  // mean over the questions, 0..1
};

// The threshold on null_difference, above which no answer is given, with the best mean: an upper
// bound, since it is chosen on the very questions. Of equal ones the highest. `cases` must not be
// empty.
BestThreshold best_threshold(std::vector<ThresholdCase> cases);

}  // namespace fp8q
