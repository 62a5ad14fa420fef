// Compares an answer to a question with the reference answers, as SQuAD's official evaluation
// script does (Rajpurkar et al., 2016 and 2018).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

// Makes the text lower case, removes ASCII punctuation and the words a, an and the, and separates
// words by single spaces. It does this like the official script with Python's strings, except that
// a capital sigma always becomes the medial letter, in references and answers alike.
std::string normalize_answer(std::string_view text);

struct AnswerScore {
  double exact = 0;  // 1 if the normalized texts are equal
  double f1 = 0;     // F1 of the shared words, counted with repetition
};

// Returns the best score over all references, separately for each measure. If there is no
// reference, the right answer is the empty one. `unanswerable` selects the rule of SQuAD v2.0:
// references without a word do not count, and two answers without a word share everything. In v1.1
// they share nothing.
AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& references,
                         bool unanswerable);

// Holds what is known about one question when the threshold of not answering is chosen.
struct ThresholdCase {
  double null_difference = 0;  // how much better "no answer" scores than the best answer
  double answered = 0;         // score of the best answer, 0..1
  double unanswered = 0;       // score of no answer: 1 if the question has none, else 0
};

struct BestThreshold {
  double threshold = 0;
  double score = 0;  // mean over the questions, 0..1
};

// Returns the threshold on null_difference, above which no answer is given, with the best mean. The
// mean is an upper bound, since the threshold is chosen on the same questions. The highest of
// equally good thresholds is returned. `cases` must not be empty.
BestThreshold best_threshold(std::vector<ThresholdCase> cases);

}  // namespace fp8q
