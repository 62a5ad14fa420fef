#!/usr/bin/env bash
# Looks at the report in a browser: the page of a whole session on the demo model is laid out at the width of a
# telephone and of a screen, must not be wider than either, and must fit paper. Usage: report.sh FP8Q REPOSITORY
# Skipped (77) where Chromium is absent.
set -euo pipefail
fp8q=$1 demo=$2/models/demo-sst2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "no Chromium: skipped"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$demo"/. "$folder"
cd "$folder"
for step in "calibrate model.onnx" "convert --format e4m3" "eval --task sst2 --limit 60" \
  "bench --shape tiny --format fp32,int8 --batch 1,2 --length 8 --repeat 2 --kernels" "report -o page.html"; do
  # shellcheck disable=SC2086
  "$fp8q" $step --quiet
done

look() { "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" \
  --allow-file-access-from-files --virtual-time-budget=5000 "$@" 2>"$folder/browser.log"; }

fail() { echo "$1"; cat "$folder/browser.log"; exit 1; }

for width in 390 1200; do
  # A frame of the width in question reports what is wider than itself, tables that scroll by themselves apart.
  cat >frame.html <<HTML
<iframe src="page.html" style="width:${width}px;height:800px;border:0"></iframe><output></output><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument, all = page.querySelectorAll("svg, tr, figure").length;
  document.querySelector("output").textContent = page.documentElement.scrollWidth + " px, " + all + " parts";
};
</script>
HTML
  seen=$(look --dump-dom "file://$folder/frame.html" | sed -n 's:.*<output>\(.*\)</output>.*:\1:p')
  echo "laid out at $width px: $seen"
  [[ $seen =~ ^([0-9]+)\ px,\ ([0-9]+)\ parts$ ]] || fail "the page was not laid out"
  [ "${BASH_REMATCH[1]}" -le "$width" ] || fail "the page is wider than $width px"
  [ "${BASH_REMATCH[2]}" -ge 50 ] || fail "parts of the page are missing"
  look --screenshot="$folder/$width.png" --window-size="$width,2400" "file://$folder/page.html" >/dev/null
  [ "$(stat -c %s "$width.png")" -gt 20000 ] || fail "the screenshot at $width px is empty"
done

look --print-to-pdf="$folder/page.pdf" "file://$folder/page.html" >/dev/null
[ "$(stat -c %s page.pdf)" -gt 20000 ] || fail "nothing was printed"
if [ -n "${FP8Q_SCREENSHOTS:-}" ]; then cp ./*.png page.html page.pdf "$FP8Q_SCREENSHOTS"; fi
