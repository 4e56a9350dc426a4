#!/bin/sh
# Shares a login with the CLI's own code: PyPI's `truefoundry`, with the newest versions of that
# code's dependencies that the package allows, filelock among them. The rest of the package, and its
# 30 other dependencies, stay out.
#
# PYTHON names another interpreter.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$root/target}/cli-login
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A Debian python3 has no ensurepip, and then `venv` fails.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq python3 python3-venv
fi
"$python" -m venv "$folder/venv"
pip() {
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-warn-conflicts "$@"
}
pip --no-deps -r "$here/requirements.txt"
"$folder/venv/bin/python" - >"$folder/needed.txt" <<'END'
import importlib.metadata, re
needed = "filelock packaging pydantic pyjwt requests rich typing-extensions urllib3".split()
for line in importlib.metadata.requires("truefoundry"):
    if re.match(r"[\w-]+", line)[0].lower() in needed:
        print(line)
END
pip --upgrade -r "$folder/needed.txt"

cargo build --quiet --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
mkdir "$folder/home"
HOME=$folder/home "$folder/venv/bin/python" "$here/drive.py" "$target/debug/cli_login"
