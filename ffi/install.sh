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
install -m 644 "$from/libsocketio.a" "$to/lib/"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" "$root/ffi/socketio.pc.in" > "$to/lib/pkgconfig/socketio.pc"
