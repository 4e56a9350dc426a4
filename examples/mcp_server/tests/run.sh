#!/bin/sh
# Drives the server with the official Python SDK of MCP, on both of its protocols, against the fake control
# plane in a process of its own.
#
# PYTHON names another interpreter, VENV another place for the environment. With names of tests only those are
# run; `--write` writes the transcript into the README in place of comparing it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../../.." && pwd)
python=${PYTHON:-python3}
venv=${VENV:-$root/target/mcp-venv}

# A Debian python3 has no ensurepip, and then `venv` fails.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq python3 python3-venv
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"

cd "$root"
export PYTHONDONTWRITEBYTECODE=1
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --example fake_server --features testing
cargo build --quiet --locked --manifest-path examples/mcp_server/Cargo.toml --target-dir "$target/mcp"
exec "$venv/bin/python" "$here/drive.py" "$target/mcp/debug/mcp_server" \
    "$target/debug/examples/fake_server" "$@"
