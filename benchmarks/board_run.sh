#!/bin/sh
# Counts instructions in an emulated board: copies this checkout into it, sets up the board's part, runs the benchmark.
#
#   benchmarks/board_run.sh DIR CPU [OPTIONS]     DIR: of board_root.sh; CPU: as QEMU calls it; OPTIONS: instructions.py's
set -eu
root=$(realpath "$1")
cpu=$2
shift 2
cd "$(dirname "$0")/.."

mounted=
trap 'for place in $mounted; do umount "$place"; done' EXIT
trap 'exit 130' INT TERM
attach() {
    place=$root/$1
    shift
    mountpoint -q "$place" || { mount "$@" "$place" && mounted="$place $mounted"; }
}
attach proc -t proc proc
attach dev --bind /dev
attach dev/shm --bind /dev/shm

# Network as here: names, and whom pip trusts. Its settings are in the environment, which goes inside as it is.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
for file in /etc/ssl/certs/ca-certificates.crt "${PIP_CERT-}" "${SSL_CERT_FILE-}" "${REQUESTS_CA_BUNDLE-}"; do
    [ ! -f "$file" ] || { mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"; }
done

mkdir -p "$root/opt/parrotlet/tests"
tar -c --exclude=__pycache__ protos common edge cloud models scripts benchmarks tests/speech setup.cfg pyproject.toml \
    README.md LICENSE | tar -x -C "$root/opt/parrotlet" --no-same-owner
inside() {
    env -u PYTHON -u VIRTUAL_ENV -u PYTHONPATH HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$root" sh -c 'cd /opt/parrotlet && exec "$@"' sh "$@"
}
inside scripts/setup --edge >&2
inside /opt/qemu/ld-linux-x86-64.so.2 --library-path /opt/qemu/lib /opt/qemu/qemu-aarch64 -cpu "$cpu" \
    -plugin /opt/qemu/instructions.so,marker=173,out=/tmp/counts.txt \
    .venv/bin/python -m benchmarks.instructions --counts /tmp/counts.txt "$@"
