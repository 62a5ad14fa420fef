#!/usr/bin/env bash
# Checks that every test which docs/trust.md names exists.
# Usage: promises.sh SOURCE-FOLDER
set -euo pipefail
cd "$1"
failed=0
for name in $(sed -n 's/^|[^|]*|\(.*\)|$/\1/p' docs/trust.md | grep -o '`[^`]*`' | tr -d '`'); do
  suite=${name%%.*}
  test=${name#"$suite"}
  test=${test#.}
  case $suite in
    fuzz) [ -z "$test" ] || [ -f "tests/fuzz/$test.cc" ] ;;
    Conformance) [ -d tests/conformance ] ;; # registers its tests one by one
    *) grep -rqE "^(TYPED_)?TEST(_F|_P)?\($suite, ${test:-.}" tests ;;
  esac || { echo "docs/trust.md: there is no test $name"; failed=1; }
done
exit $failed
