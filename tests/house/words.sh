#!/usr/bin/env bash
# Words are spelled as in the United States, and comments are sentences: none begins with "Of ". Exit 77 (skipped) outside a git
# checkout. Usage: words.sh REPOSITORY
set -euo pipefail
cd "$1"
git rev-parse --is-inside-work-tree >/dev/null || { echo "not a git checkout"; exit 77; }

british='(quant|recogn|normal|initial|optim|serial|summar|minim|maxim|organ|token|parallel|vector|general|special|material|factor|synchron|util|standard|custom|real|emphas|final)is(e[ds]?|ing|ation|ations|er|ers)\b'
british+='|(colo|behavio|neighbo|favo|hono|labo|rigo)ur|(label|cancel|model|travel|signal|total)l(ed|ing)\b|artefact|analys(e[ds]?|ing)\b|judgement|\bcentre|\bgrey\b|\blicences?\b|\b(mis)?spelt\b|\blearnt\b|whilst'

errors=0
# Not ours to change: a member of result files that other programs read, and a variable of a script named after GLUE's own address.
if git grep -nIiPo --untracked "[\\w]*($british)[\\w]*" -- . ':!LICENSE' ':!models' ':!tests/golden' ':!src/tasks/sample' ':!tests/house/words.sh' |
  grep -vE ':(quantised_sites|AX_LABELLED_URL)$'; then
  errors=1
fi
if git grep -nIE --untracked '^ *(//|#) Of ' -- '*.h' '*.cc' '*.cu' '*.cuh' '*.def' '*.cmake' '*.sh' '*.py' '*CMakeLists.txt' ':!tests/house/words.sh'; then
  echo 'a comment begins with "Of ": give it a verb'
  errors=1
fi
exit $errors
