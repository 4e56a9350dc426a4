"""Compares what the crate reads of dotenv files with python-dotenv and node's dotenv.

Every file that the crate accepts must be read alike by all three, and a refusal names line and variable.
"""

import json
import logging
import random
import re
import subprocess
import sys
from pathlib import Path

from dotenv import dotenv_values

SEED = 11
FILES = 500
# Fewer would prove little.
MIN_ACCEPTED = 150

# What people write; each is read unchanged, alone and as the third line of a file.
READ = {
    "CFG": '{"provider":"made-up","n":1}',
    "PASS": 'ab"cd"ef',
    "NAME": "My App",
    "NOTE": "it's made up",
    "DIR": "C:\\made\\up",
}

PIECES = [
    "a", "b", "Z", "1", " ", "\t", "#", '"', "'", "`", "\\", "\\n", '\\"', "\\'", "$", "${A", "${A}", "{", "}",
    "=", ":", "é", "\u00a0", "\u2028", "\x0b", ".", "-", ",", "\\t", "\\r", "\\\\",
]
PLAIN = "abcXYZ019/:@{}\",'=+.-_ \\"


def value(rng):
    body = "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 8)))
    plain = "".join(rng.choice(PLAIN) for _ in range(rng.randint(0, 14)))
    bare = re.sub("[\"'\\\\]", "", plain)
    return rng.choice([
        lambda: plain,
        lambda: plain,
        lambda: body,
        lambda: '"' + body.replace('"', "") + '"',
        lambda: "'" + body.replace("'", "") + "'",
        lambda: '"' + bare + "\n" * rng.randint(0, 2) + 'x"',
        lambda: "'" + bare + "\n" * rng.randint(0, 2) + "x'",
        lambda: rng.choice("\"'") + body + rng.choice("\"'"),
    ])()


def line(rng):
    kind = rng.random()
    if kind < 0.08:
        return ""
    if kind < 0.14:
        return "# " + "".join(rng.choice(PIECES) for _ in range(5))
    if kind < 0.17:
        return "".join(rng.choice(PIECES) for _ in range(6))
    start = rng.choice(["", "", "", "export ", " ", "export\t"])
    name = rng.choice(["A", "B", "C_1", "d.e", "f-g", "export", "Ü", "1X"])
    sign = rng.choice(["=", "=", "=", " = ", "= ", ": ", " ="])
    return start + name + sign + value(rng) + rng.choice(["", "", "", "", " # c", " #it's", "#c", "  "])


def file(rng):
    lines = [line(rng) for _ in range(rng.choice([1, 1, 1, 1, 2, 3]))]
    text = rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["", "\n"])
    return "\ufeff" + text if rng.random() < 0.02 else text


def main():
    reader, node_folder, cases = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    # python-dotenv warns of each line that it does not understand.
    logging.disable(logging.CRITICAL)
    rng = random.Random(SEED)
    texts = [f"{name}={text}" for name, text in READ.items()]
    texts += [f"# c\n\n{one}\n" for one in texts]
    must_read = len(texts)
    texts += [file(rng) for _ in range(FILES)]
    paths = []
    for index, text in enumerate(texts):
        path = cases / f"{index}.env"
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(str(path))

    script = str(Path(__file__).with_name("read.js"))
    node = json.loads(subprocess.check_output(["node", script, *paths], cwd=node_folder))
    ours = subprocess.check_output([reader, *paths], text=True, encoding="utf-8").split("\n")[:-1]
    assert len(ours) == len(node) == len(texts)

    accepted = wrong = 0
    for index, (path, text) in enumerate(zip(paths, texts)):
        read = json.loads(ours[index])
        python = dict(dotenv_values(path))
        if isinstance(read, str):
            fault = None if re.search(r": line \d+(, [\w.-]+)?: it ", read) else "no line in the refusal"
            if index < must_read:
                fault = "refused"
        else:
            accepted += 1
            alike = dict(read) == python == node[index]
            fault = None if alike else "read differently"
            if index < must_read and not all(READ[name] == it for name, it in read):
                fault = "not read as written"
        if fault:
            wrong += 1
            print(f"{fault}: {text!r}\n  crate:  {read}\n  python: {python}\n  node:   {node[index]}")
    print(f"{len(texts)} files, {accepted} accepted, {wrong} wrong")
    if wrong or accepted < MIN_ACCEPTED:
        sys.exit(1)


main()
