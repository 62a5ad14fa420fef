#!/usr/bin/env bash
# Checks that no type has two meanings: the program defines every name of a type once in a namespace. Two definitions in
# different files would break the one-definition rule when they are linked together, and no tool reports that. The check
# covers struct, class, union, enum and using at namespace scope in all sources except those of tests. It skips anonymous
# namespaces, which belong to one file each.
# It relies on the format of the sources: declarations at namespace scope begin in the first column (see format.sh).
# Usage: type_names.sh REPOSITORY
set -euo pipefail
cd "$1"

find include src kernels tools -type f \( -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) -print0 | sort -z |
  xargs -0 awk '
    FNR == 1 { depth = 0; space = "" }
    FILENAME ~ /\.(h|cuh)$/ && /^namespace {/ {
      print FILENAME ":" FNR ": a header has an anonymous namespace, whose types differ from file to file"
      errors++
    }
    /^namespace.*{$/ { outer[depth++] = space; space = NF > 2 ? space "::" $2 : "(anonymous)" space; next }
    /^}  \/\/ namespace/ { space = outer[--depth]; next }
    { sub(/^template <.*> struct /, "struct "); sub(/^template <.*> class /, "class "); sub(/^template <.*> using /, "using ")
      gsub(/\[\[[a-z_]*\]\] |alignas\([^)]*\) /, "") }
    /^(struct|class|union|enum|using) / && space !~ /anonymous/ {
      at = $1 == "enum" && $2 ~ /^(class|struct)$/ ? 3 : 2
      name = $at
      # This takes definitions, but no declarations, specializations, or members defined outside of their class.
      if ($1 == "using" ? $3 != "=" : /;$/ && !/[{}]/ || name !~ /^[A-Za-z_0-9]+$/) next
      types++
      key = substr(space, 3) "::" name
      if (!(key in file)) { file[key] = FILENAME; line[key] = FNR }
      if (file[key] == FILENAME) next  # an #if chooses one of them
      print FILENAME ":" FNR ": " key " is defined in " file[key] ":" line[key] ", too"
      errors++
    }
    END {
      if (!types) print "found no types"
      exit errors > 0 || !types
    }'
