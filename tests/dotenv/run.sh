#!/bin/sh
# Compares SecretMap::from_dotenv with python-dotenv and node's dotenv, which are installed into a temporary
# folder.
#
# PYTHON names another interpreter.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$root/target}/dotenv
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A Debian python3 has no ensurepip, and then `venv` fails.
missing=
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="python3 python3-venv"
command -v npm >/dev/null || missing="$missing nodejs npm"
if [ -n "$missing" ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    # shellcheck disable=SC2086
    $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing
fi
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
mkdir "$folder/node" "$folder/cases"
npm install --silent --no-audit --no-fund --prefix "$folder/node" dotenv@18.0.10 >/dev/null

cargo build --quiet --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
"$folder/venv/bin/python" "$here/compare.py" "$target/debug/dotenv_read" "$folder/node" "$folder/cases"
