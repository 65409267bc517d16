#!/bin/sh
# Makes an emulated board, once: arm64 Debian 12 in a folder, and in its opt/qemu a QEMU that counts instructions.
#
#   benchmarks/board_root.sh DIR     as root, on Debian 12 x86-64; some minutes and 0.5 GB
set -eu
root=$(realpath -m "${1:?a folder for the emulated board}")
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "An emulated board needs root: sudo scripts/bench board" >&2; exit 1; }
release=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME-}") || release=
[ "$release $(uname -m)" = "bookworm x86_64" ] ||
    { echo "An emulated board is made on Debian 12, x86-64, only; this is ${release:-another system}, $(uname -m)." >&2; exit 1; }
# The static QEMU starts programs inside; it takes no plugins, so a dynamic one counts.
scripts/packages qemu-user qemu-user-static mmdebstrap arch-test gcc libc6-dev
binfmt=/proc/sys/fs/binfmt_misc
# It stays mounted: with the mount, a kernel from 6.7 on forgets who runs what.
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
[ -e $binfmt/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$binfmt/register
[ ! -e "$root/opt/qemu/instructions.so" ] || exit 0

if [ ! -e "$root/etc/debian_version" ]; then
    echo "Making arm64 Debian 12 in $root: about five minutes" >&2
    rm -rf --one-file-system "$root.new"
    mkdir -p "${root%/*}"
    scripts/quietly "Debian for arm64 could not be made." mmdebstrap --arch=arm64 --variant=apt \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --include=python3,python3-venv,python3-pyaudio,ca-certificates bookworm "$root.new"
    mv "$root.new" "$root"
fi

mkdir -p "$root/opt/qemu/lib"
cp /usr/bin/qemu-aarch64 "$root/opt/qemu/"
ldd /usr/bin/qemu-aarch64 | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | xargs cp -L -t "$root/opt/qemu/lib"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/opt/qemu/"
gcc -O2 -shared -fPIC -o "$root/opt/qemu/instructions.so" benchmarks/instructions.c
