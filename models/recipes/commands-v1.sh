#!/usr/bin/env bash
# Makes commands-v1 anew: models/recipes/commands-v1.sh DATA FOLDER, from recordings of DATA (commands/train/, words/,
# sentences/, orders/, noise/, rooms/, index.tsv) and machines' voices (pip install -e ".[speech]", flite, festival,
# espeak-ng); an hour of two cores. Who is heard in commands/dev is in nothing that is learnt from, and of the voices,
# sentences and orders some are left to measure with (benchmarks/talk.py).
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$(realpath "$1") out=$(realpath -m "$2")
models() { .venv/bin/python -m models "$@"; }

mkdir -p "$out"
awk -F'\t' 'NR == FNR { if ($1 ~ /^commands\/dev\//) kept[$3]; next }
            FNR == 1 || $1 ~ /^(commands\/train|words)\// && ($3 == "_noise_" || !($3 in kept))' \
    "$data/index.tsv" "$data/index.tsv" >"$out/words.tsv"
[[ -e $out/words.jsonl ]] || models import table "$out/words.tsv" "$out/words.jsonl" --sound "$data" \
    --label-from-folder --nobody _noise_ --all train

.venv/bin/python -m benchmarks.talk "$data" "$out/talk.jsonl"
voices=$(models synthesise --list 2>/dev/null | sed 's/  .*//' | grep -vE '^(piper/|flite/rms|espeak-ng/(en-gb-scotland|en-029))')
# NAME EACH OPTION...
speak() {
    [[ -e $out/$1.jsonl ]] || models synthesise "$out/$1.jsonl" --texts "models/recipes/$1.tsv" --each "$2" \
        $(printf -- '--voice %s ' $voices) --speed 0.8,1,1.25 --pitch=-3,0,3
}
speak commands-v1 100
speak commands-v1-others 20
speak commands-v1-phrases 4

for some in talk commands-v1-phrases; do
    [[ -e $out/$some-windows.jsonl ]] || models windows "$out/$some.jsonl" "$out/$some-windows.jsonl"
done
if [[ ! -e $out/set.jsonl ]]; then
    cat "$out"/{words,commands-v1,commands-v1-others,talk-windows,commands-v1-phrases-windows}.jsonl >"$out/all.jsonl"
    models split "$out/all.jsonl" "$out/set.jsonl" --tune 0 --test 0 --no-speaker own
fi
models train models/recipes/commands-v1.toml --data "$out/set.jsonl" --noise "$data/noise" --rooms "$data/rooms" --out "$out/run"
