#!/usr/bin/env bash
# Download the official GLUE and SQuAD v1.1 files into the folder layout that fp8q reads.
set -euo pipefail

readonly ALL_TASKS=(CoLA SST-2 MRPC QQP STS-B MNLI QNLI RTE WNLI AX SQuAD)

GLUE_URL=${GLUE_URL:-https://dl.fbaipublicfiles.com/glue/data}
MRPC_URL=${MRPC_URL:-https://dl.fbaipublicfiles.com/senteval/senteval_data}
AX_LABELLED_URL=${AX_LABELLED_URL:-https://www.dropbox.com/s/ju7d95ifb072q9f/diagnostic-full.tsv?dl=1}
SQUAD_URL=${SQUAD_URL:-https://rajpurkar.github.io/SQuAD-explorer/dataset}

usage() {
  cat <<'TEXT'
Usage: fetch_glue.sh [--dir DIR] [--force] [--strict] [TASK...]

Downloads the official files of the GLUE tasks and of SQuAD v1.1. Without a TASK it fetches all of them:

  CoLA SST-2 MRPC QQP STS-B MNLI QNLI RTE WNLI AX SQuAD

Options:
  --dir DIR   folder to write to (default: glue_data)
  --force     fetch a task again, replacing its folder, even where it is complete
  --strict    fail where a file differs from its known SHA-256 (otherwise a warning: mirrors may differ in line ends)
  -h, --help  show this text

Result: DIR/SST-2/train.tsv, DIR/SST-2/dev.tsv, ..., DIR/MNLI/dev_matched.tsv, DIR/AX/AX.tsv
(without labels) and diagnostic-full.tsv (with labels),
DIR/MRPC/train.tsv and test.tsv (no dev file: the test file has labels), DIR/SQuAD/train-v1.1.json and dev-v1.1.json.
A task's folder appears only when all its files have arrived. After a failure run the same command again:
complete tasks are kept, and an interrupted download goes on where it stopped (DIR/.fetch holds it).

Needs curl or wget; for zip files unzip, python3 or bsdtar; for checksums sha256sum, shasum or python3.
GLUE_URL, MRPC_URL, AX_LABELLED_URL and SQUAD_URL in the environment replace the addresses of the official places, for a mirror.
The data sets have licenses of their own; see https://gluebenchmark.com/ and https://rajpurkar.github.io/SQuAD-explorer/.

Examples:
  fetch_glue.sh SST-2 MRPC
  fetch_glue.sh --dir /data/glue --strict
TEXT
}

say() { printf '%s\n' "$*" >&2; }
warn() { say "fetch_glue.sh: warning: $*"; }
fail() {
  say "fetch_glue.sh: error: $*"
  return 1
}
usage_error() {
  say "fetch_glue.sh: $*"
  say "Try 'fetch_glue.sh --help'."
  exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the SHA-256 of files as extracted (MRPC: after clean_text). Not every file of every task
# has a known sum.
known_sums() {
  cat <<'TEXT'
f320a10f92d3bce6b29152fde322a362eac39238e50d8de0c8815457fdf4fc12  CoLA/train.tsv
74cb93153d04e68f7deda0c1ab9f2fdfe5cec8a11441eae1bd4ed0c2e7ffa7f2  CoLA/dev.tsv
8621df47b79e9b3fa010405ef4dd506cbf483319cf851f20f2b6773f61d387b5  SST-2/train.tsv
54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0  SST-2/dev.tsv
178c3d39a096a887a4afa2fdecc9089ad7d7f74c019a95ce8cdac2b4855ebf4a  MRPC/train.tsv
0d1a876ed5b29dc9779ec212f0d7a1601caafbc5837cd1200e638f0b0a654562  MRPC/test.tsv
6af6041d917b86685d751e265cc8c74a887b95c3414d1d5dd5ae0105a5d88520  STS-B/train.tsv
7c15e699be1237f9bd4ab47608b27c79267aeb255647dba71775b0d82f5a9c2a  STS-B/dev.tsv
763e95932dd3578251de71582e06829015f9c3815a518c751dc537219b159de4  QNLI/dev.tsv
81d25e323e1ab5b2ad7cd445f1a69db89f2b1c104f3e26915a9421aa4a5f4735  RTE/train.tsv
80230dfa1347282e7b532b06a1004a76a710087541189bf874223ddf0e3819fb  RTE/dev.tsv
TEXT
}

# Prints the files without which a task is incomplete.
required_files() {
  case $1 in
    AX) echo AX.tsv ;;
    MNLI) echo train.tsv dev_matched.tsv dev_mismatched.tsv ;;
    MRPC) echo train.tsv test.tsv ;;
    SQuAD) echo train-v1.1.json dev-v1.1.json ;;
    *) echo train.tsv dev.tsv ;;
  esac
}

zip_name() {
  case $1 in
    QQP) echo QQP-clean.zip ;;
    QNLI) echo QNLIv2.zip ;;
    *) echo "$1.zip" ;;
  esac
}

is_complete() {
  local folder=$1 task=$2 file
  for file in $(required_files "$task"); do
    [[ -s $folder/$file ]] || return 1
  done
}

transfer() {
  local url=$1 part=$2
  if have curl; then
    local progress=(--silent --show-error)
    [[ ! -t 2 ]] || progress=(--progress-bar)
    curl --fail --location --retry 3 --connect-timeout 30 "${progress[@]}" --continue-at - --output "$part" "$url"
  else
    wget --tries=3 --timeout=30 --continue --no-verbose --output-document="$part" "$url"
  fi
}

# download URL FILE: FILE appears only when it is complete; until then the bytes are in FILE.part.
download() {
  local url=$1 file=$2 part=$2.part
  [[ ! -s $file ]] || return 0
  say "  $url"
  if ! transfer "$url" "$part"; then
    if [[ -s $part ]]; then
      fail "download of $url did not finish; run again to go on, or delete $part to start over"
    else
      rm -f "$part"
      fail "cannot download $url"
    fi
    return 1
  fi
  if [[ ! -s $part ]]; then
    rm -f "$part"
    fail "$url is empty"
    return 1
  fi
  mv "$part" "$file"
}

extract() {
  local archive=$1 folder=$2
  if have unzip; then
    unzip -q -o "$archive" -d "$folder"
  elif have python3; then
    python3 -m zipfile -e "$archive" "$folder"
  else
    bsdtar -xf "$archive" -C "$folder"
  fi
}

# clean_text FROM TO: removes the byte order mark, and carriage returns at the end of lines.
clean_text() {
  LC_ALL=C awk 'NR == 1 { sub(/^\357\273\277/, "") } { sub(/\r$/, ""); print }' "$1" >"$2"
}

sha256_of() {
  if have sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  else
    python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
  fi
}

# verify FOLDER TASK: compares the task's files with the known sums.
verify() {
  local folder=$1 task=$2 sum name file bad=0
  if ! have sha256sum && ! have shasum && ! have python3; then
    [[ $strict == no ]] || fail "--strict needs sha256sum, shasum or python3" || return 1
    warn "no program to compute SHA-256 with; $task is not verified"
    return 0
  fi
  while read -r sum name; do
    [[ ${name%%/*} == "$task" ]] || continue
    file=$folder/${name#*/}
    if [[ $(sha256_of "$file") != "$sum" ]]; then
      warn "$name differs from its known SHA-256"
      bad=1
    fi
  done < <(known_sums)
  [[ $bad == 0 || $strict == no ]] || fail "$task: wrong checksum (--strict)"
}

# Each fill function puts a task's files into the folder $2, downloading to the folder $3.
fill_zip() {
  local task=$1 folder=$2 archive=$3/$1.zip unpacked=$2.unpacked
  download "$GLUE_URL/$(zip_name "$task")" "$archive" || return 1
  if ! extract "$archive" "$unpacked"; then
    rm -f "$archive"
    fail "$task: the archive is damaged; it was deleted, run again"
    return 1
  fi
  [[ -d $unpacked/$task ]] || fail "$task: the archive holds no folder $task" || return 1
  mv "$unpacked/$task" "$folder"
}

fill_mrpc() {
  local folder=$1 cache=$2 part
  mkdir "$folder" || return 1
  for part in train test; do
    download "$MRPC_URL/msr_paraphrase_$part.txt" "$cache/msr_paraphrase_$part.txt" || return 1
    clean_text "$cache/msr_paraphrase_$part.txt" "$folder/$part.tsv" || return 1
  done
}

fill_squad() {
  local folder=$1 cache=$2 part
  mkdir "$folder" || return 1
  for part in train dev; do
    download "$SQUAD_URL/$part-v1.1.json" "$cache/$part-v1.1.json" || return 1
    cp "$cache/$part-v1.1.json" "$folder/" || return 1
  done
}

fill_ax() {
  local folder=$1 cache=$2
  mkdir "$folder" || return 1
  download "$GLUE_URL/AX.tsv" "$cache/AX.tsv" || return 1
  cp "$cache/AX.tsv" "$folder/" || return 1
  # The labels are published elsewhere; without them the official file still serves as text.
  if download "$AX_LABELLED_URL" "$cache/diagnostic-full.tsv"; then
    clean_text "$cache/diagnostic-full.tsv" "$folder/diagnostic-full.tsv"
  else
    warn "AX: without its labeled file diagnostic-full.tsv it cannot be scored; see https://gluebenchmark.com/diagnostics"
  fi
}

fill() {
  case $1 in
    MRPC) fill_mrpc "$2" "$3" ;;
    SQuAD) fill_squad "$2" "$3" ;;
    AX) fill_ax "$2" "$3" ;;
    *) fill_zip "$1" "$2" "$3" ;;
  esac
}

# install_folder FROM TO OLD: puts the folder FROM in the place of TO. The previous folder goes to
# OLD, and back if this fails.
install_folder() {
  local from=$1 to=$2 old=$3
  if [[ -e $to ]]; then
    mv "$to" "$old" || return 1
  fi
  if ! mv "$from" "$to"; then
    [[ ! -e $old ]] || mv "$old" "$to"
    return 1
  fi
}

fetch_task() {
  local task=$1 target=$dir/$1 cache=$dir/.fetch/$1 staged=$stage/$1
  if [[ -e $target && $force == no ]]; then
    if is_complete "$target" "$task"; then
      say "$task: already there"
      return 0
    fi
    fail "$task: $target exists but is incomplete; move it away or use --force"
    return 1
  fi
  say "$task:"
  mkdir -p "$cache" || return 1
  fill "$task" "$staged" "$cache" || return 1
  if ! is_complete "$staged" "$task"; then
    rm -rf "$cache"
    fail "$task: the download lacks one of: $(required_files "$task")"
    return 1
  fi
  if ! verify "$staged" "$task"; then
    rm -rf "$cache"
    return 1
  fi
  install_folder "$staged" "$target" "$stage/$task.old" || fail "$task: cannot write $target" || return 1
  rm -rf "$cache"
  say "  -> $target"
}

# task_name WORD: prints the official spelling of a task's name, whatever the case of WORD.
task_name() {
  local task
  for task in "${ALL_TASKS[@]}"; do
    if [[ $(tr '[:upper:]' '[:lower:]' <<<"$1") == "$(tr '[:upper:]' '[:lower:]' <<<"$task")" ]]; then
      echo "$task"
      return 0
    fi
  done
  return 1
}

parse_arguments() {
  local name
  while (($# > 0)); do
    case $1 in
      -h | --help)
        usage
        exit 0
        ;;
      --dir)
        (($# >= 2)) || usage_error "--dir needs a folder"
        dir=$2
        shift
        ;;
      --dir=*) dir=${1#--dir=} ;;
      --force) force=yes ;;
      --strict) strict=yes ;;
      -*) usage_error "unknown option $1" ;;
      *)
        name=$(task_name "$1") || usage_error "unknown task $1; known: ${ALL_TASKS[*]}"
        tasks+=("$name")
        ;;
    esac
    shift
  done
  [[ -n $dir ]] || usage_error "--dir needs a folder"
  [[ $dir == /* ]] || dir=./$dir
  ((${#tasks[@]} > 0)) || tasks=("${ALL_TASKS[@]}")
}

cleanup() {
  rm -rf "$stage"
  rmdir "$dir/.fetch"/* "$dir/.fetch" 2>/dev/null || true # what holds an unfinished download stays
}

main() {
  dir=glue_data force=no strict=no
  tasks=()
  parse_arguments "$@"
  have curl || have wget || { say "fetch_glue.sh: error: needs curl or wget"; exit 1; }
  have unzip || have python3 || have bsdtar || { say "fetch_glue.sh: error: needs unzip, python3 or bsdtar"; exit 1; }

  mkdir -p "$dir/.fetch" || { say "fetch_glue.sh: error: cannot write to $dir"; exit 1; }
  stage=$(mktemp -d "$dir/.fetch/stage.XXXXXX")
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  local task failed=()
  for task in "${tasks[@]}"; do
    fetch_task "$task" || failed+=("$task")
  done
  if ((${#failed[@]} > 0)); then
    say "fetch_glue.sh: failed: ${failed[*]}"
    exit 1
  fi
}

main "$@"
