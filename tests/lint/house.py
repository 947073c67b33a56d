"""What the checks share: finding files, reading C without its comments and texts, telling what is wrong.

Every check is a program that looks at the current folder, prints `file:line: what is wrong` and exits with 1
when it printed anything. So tests/lint/self-test can run it on a small bad tree.
"""

import re
import sys
from pathlib import Path

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""", re.DOTALL)

complaints = 0


def complain(path, line, words):
    global complaints
    complaints += 1
    print(f"{path}:{line}: {words}")


def finish():
    sys.exit(1 if complaints else 0)


def files(*patterns):
    """Sorted paths below the current folder; build folders are never among them."""
    found = {p for pattern in patterns for p in Path().glob(pattern) if p.is_file()}
    return sorted(p for p in found if not p.parts[0].startswith("build"))


def c_files():
    return files("src/**/*.[ch]", "tests/**/*.[ch]")


def blank(match):
    return re.sub(r"[^\n]", " ", match)


def code_only(text):
    """The text with comments and the insides of texts blanked; every character keeps its place."""

    def strip(match):
        if match["text"] is not None and len(match[0]) >= 2:
            return '"' + blank(match[0][1:-1]) + '"'
        return blank(match[0])

    # An include's file name is no text.
    lines = [(line if not line.startswith("#include") else line.replace('"', "\x00")) for line in text.split("\n")]
    return TOKEN.sub(strip, "\n".join(lines)).replace("\x00", '"')


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def read(path):
    return path.read_text(encoding="utf-8")


def may_call():
    """src/MAY-CALL as {folder: (line, [folders it may include])}, in the file's order."""
    table = {}
    for number, line in enumerate(read(Path("src/MAY-CALL")).splitlines(), 1):
        if line and not line.startswith("#"):
            folder, _, named = line.partition(":")
            table[folder] = (number, named.split())
    return table
