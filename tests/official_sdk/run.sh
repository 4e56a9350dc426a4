#!/bin/sh
# Drives the fake control plane with TrueFoundry's own Python SDK: what that SDK accepts, in a
# process of its own, is the real protocol and not our reading of it.
#
# PYTHON names another interpreter, VENV another place for the environment.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
python=${PYTHON:-python3}
venv=${VENV:-$root/target/official-sdk-venv}

# A Debian python3 has no ensurepip, and then `venv` fails.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq python3 python3-venv
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"

cd "$root"
cargo build --quiet --example fake_server --features testing
target=${CARGO_TARGET_DIR:-$root/target}
exec "$venv/bin/python" "$here/drive.py" "$target/debug/examples/fake_server"
