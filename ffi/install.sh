#!/bin/sh
# Puts headers, libraries and the pkg-config file in place: install.sh PREFIX [DESTDIR [LIBRARIES]].
# LIBRARIES is the folder that cargo built libsocketio.so and libsocketio.a in: target/release by default.
set -eu
prefix=${1:?usage: install.sh PREFIX [DESTDIR [LIBRARIES]]}
root=$(cd "$(dirname "$0")/.." && pwd)
to=${2:-}$prefix
from=${3:-$root/target/release}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
soname=libsocketio.so.0

install -d "$to/include/socketio" "$to/lib/pkgconfig"
install -m 644 "$root/include/socketio.h" "$to/include/"
install -m 644 "$root"/include/socketio/*.h "$to/include/socketio/"
install -m 755 "$from/libsocketio.so" "$to/lib/libsocketio.so.$version"
ln -sf "libsocketio.so.$version" "$to/lib/$soname"
ln -sf "$soname" "$to/lib/libsocketio.so"

# The static library brings Rust's standard library along. It is linked into one object in which only our own names are left
# visible: those of another library in Rust, perhaps of another compiler, do not clash with what is hidden. What points to
# the personality routine cannot be hidden, so it gets a name of ours.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/^/-u /' "$root/tests/abi/symbols.txt" > "$work/wanted"
ld -r "@$work/wanted" "$from/libsocketio.a" -o "$work/socketio.o"
objcopy --redefine-sym DW.ref.rust_eh_personality=DW.ref.sio_eh_personality \
  --remove-section .llvmbc --remove-section .llvmcmd "$work/socketio.o"
objcopy --wildcard --keep-global-symbol='sio_*' --keep-global-symbol='DW.ref.sio_*' "$work/socketio.o"
rm -f "$to/lib/libsocketio.a"
ar rcs "$to/lib/libsocketio.a" "$work/socketio.o"
chmod 644 "$to/lib/libsocketio.a"

sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" "$root/ffi/socketio.pc.in" > "$to/lib/pkgconfig/socketio.pc"
