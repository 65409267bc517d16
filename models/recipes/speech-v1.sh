#!/usr/bin/env bash
# Makes speech-v1 anew: models/recipes/speech-v1.sh DATA FOLDER, from recordings of DATA (sentences/, orders/, commands/,
# words/, noise/, rooms/); half an hour of two cores. Of sentences, orders, noises and rooms it is the half that
# scripts/bench speech_judge does not measure with.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$1 out=$2
mkdir -p "$out"
[[ -e $out/set.jsonl ]] || .venv/bin/python -m models.speech set "$out/set.jsonl" --data "$data"
.venv/bin/python -m models train models/recipes/speech-v1.toml --data "$out/set.jsonl" --out "$out/run"
.venv/bin/python -m models.speech points "$out/run" "$out/set.jsonl"
.venv/bin/python -m benchmarks.speech_judge --data "$data" --model "$out/run" --record
