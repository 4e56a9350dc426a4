#!/bin/sh
# Writers in several processes and a lock in a PostgreSQL of their own, in a temporary folder and without a port.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/postgres

find_postgres() {
    # Debian has its programs outside of PATH.
    PATH=$PATH:$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort | tail -n 1)
    command -v initdb >/dev/null && command -v pg_ctl >/dev/null
}
if ! find_postgres; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends postgresql >/dev/null
    find_postgres
fi

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi
}
folder=$(mktemp -d)
chmod 755 "$folder"
mkdir "$folder/run"
[ "$(id -u)" != 0 ] || chown -R postgres: "$folder"
cd "$folder"
stop() {
    as_postgres pg_ctl --silent -D "$folder/data" -m immediate stop || true
    rm -rf "$folder"
}
trap stop EXIT
as_postgres initdb --username postgres --auth trust --no-sync -D "$folder/data" >/dev/null
as_postgres pg_ctl --silent --wait -D "$folder/data" -l "$folder/run/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$folder/run -c fsync=off" start

cargo build --quiet --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
PGHOST="$folder/run" "$target/debug/truefoundry-secrets-postgres"
