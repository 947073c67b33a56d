"""Statements and migrations of SQL as C tables.

A statement in DIR/query/*.sql stands below its header:

    -- name: order_bind(id bigint, rsp bytea) -> iccid text, first boolean    zero rows: conflict
    -- what it means, for people; a header goes on after a comma and before an arrow
    -- lane: background          when it is not for the online lane (load: for bulk loads alone)
    -- writes                    when no insert, update or delete shows that
    select …;

It ends with the first line that ends in a semicolon. A migration is DIR/schema/NNNN-title.sql.
"""
import pathlib
import re
import sys

KINDS = {
    "bigint": "KIND_INT8", "integer": "KIND_INT4", "smallint": "KIND_INT2", "text": "KIND_TEXT",
    "bytea": "KIND_BYTES", "boolean": "KIND_BOOL", "timestamptz": "KIND_TIME", "uuid": "KIND_UUID",
    "jsonb": "KIND_JSON", "bigint[]": "KIND_INT8_ARRAY", "text[]": "KIND_TEXT_ARRAY",
    "bytea[]": "KIND_BYTES_ARRAY",
}
PARAMETERS = 32  # at most; STATEMENT_PARAMS of store/catalog.h
HEADER = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\s*\((?P<params>[^)]*)\)"
                    r"(?:\s*->\s*(?P<columns>.*?))?(?:\s+zero rows:\s*(?P<zero>none|conflict))?\s*$")
WRITES = re.compile(r"\b(insert|update|delete|merge|truncate)\b")


class Fault(Exception):
    """A mistake in an SQL file, with its place."""


def c_string(text):
    """The text as C literals, a line each."""
    lines = text.splitlines(keepends=True) or [""]
    table = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}
    return "\n\t\t".join('"' + "".join(table.get(c, c) for c in line) + '"' for line in lines)


def without_literals(sql):
    """SQL without comments and quoted text."""
    sql = re.sub(r"--[^\n]*", "", sql)
    return re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "''", sql)


def fields(text, where):
    """`id bigint, rsp bytea` as pairs of name and kind."""
    pairs = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        words = part.split(None, 1)
        if len(words) != 2 or words[1] not in KINDS:
            raise Fault(f"{where}: '{part}' is no name and known type")
        pairs.append((words[0], KINDS[words[1]]))
    return pairs


class Statement:
    """One statement: its header taken apart, its text."""

    def __init__(self, where, header, notes, text):
        match = HEADER.match(header)
        if not match:
            raise Fault(f"{where}: the header is not name(parameters) -> columns   zero rows: …")
        self.name = match["name"]
        self.params = fields(match["params"], where)
        self.columns = fields(match["columns"] or "", where)
        self.zero = "R_CONFLICT" if match["zero"] == "conflict" else "R_NONE"
        self.lane = "LANE_ONLINE"
        for note in notes:
            if note.startswith("lane:"):
                lane = note[5:].strip()
                if lane not in ("online", "background", "load"):
                    raise Fault(f"{where}: no lane '{lane}'")
                self.lane = "LANE_" + lane.upper()
        bare = without_literals(text).lower()
        locks = re.sub(r"\bfor\s+(no\s+key\s+)?update\b", "", bare)
        self.writes = "writes" in notes or bool(WRITES.search(locks))
        self.text = text
        self.check(where, bare)

    def check(self, where, bare):
        """Parameters are numbered without gaps and all are used."""
        used = {int(n) for n in re.findall(r"\$(\d+)", bare)}
        if used != set(range(1, len(self.params) + 1)):
            raise Fault(f"{where}: {self.name} declares {len(self.params)} parameters, "
                        f"uses {sorted(used)}")
        if len(self.params) > PARAMETERS:
            raise Fault(f"{where}: {self.name} has more than {PARAMETERS} parameters")
        if any(kind.endswith("_ARRAY") for _, kind in self.columns):
            raise Fault(f"{where}: {self.name} returns an array; unnest it into rows")


def read_statements(path):
    """All statements of one file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        where = f"{path}:{at + 1}"
        if not line.startswith("-- name:"):
            if line.strip() and not line.startswith("--"):
                raise Fault(f"{where}: SQL without a '-- name:' above it")
            at += 1
            continue
        header = line[len("-- name:"):].strip()
        at += 1
        while at < len(lines) and lines[at].startswith("--"):
            more = lines[at].removeprefix("--").strip()
            if not header.endswith((",", "(", "->")) and not more.startswith("->"):
                break
            header += " " + more
            at += 1
        notes = []
        while at < len(lines) and lines[at].startswith("--"):
            notes.append(lines[at].removeprefix("--").strip())
            at += 1
        first = at
        while at < len(lines) and not lines[at].rstrip().endswith(";"):
            if lines[at].startswith("-- name:"):
                raise Fault(f"{where}: the statement does not end with ';'")
            at += 1
        if at == len(lines):
            raise Fault(f"{where}: the statement does not end with ';'")
        text = "\n".join(lines[first:at + 1]).rstrip()[:-1]
        at += 1
        yield Statement(where, header, notes, text)


def write_header(out, prefix, statements):
    guard = f"STORE_QUERIES_{prefix}H"
    names = "".join(f"\t{prefix}{s.name.upper()},\n" for s in statements)
    out.write_text(f"#ifndef {guard}\n#define {guard}\n/* Generated from SQL by src/store/sql.py. */\n"
                   f"enum {{\n{names}\t{prefix}COUNT\n}};\n#endif\n",
                   encoding="utf-8")


def field_table(name, pairs):
    if not pairs:
        return ""
    rows = "".join(f'\t{{ "{n}", {k} }},\n' for n, k in pairs)
    return f"static const struct field {name}[] = {{\n{rows}}};\n"


def write_tables(out, catalog, statements, migrations):
    parts = ["/* Generated from SQL by src/store/sql.py. */\n#include \"store/catalog.h\"\n\n"]
    rows = []
    for s in statements:
        parts.append(field_table(f"params_of_{s.name}", s.params))
        parts.append(field_table(f"columns_of_{s.name}", s.columns))
        rows.append(
            f'\t{{ "{s.name}", {s.lane}, {str(s.writes).lower()}, {s.zero},\n'
            f'\t\t{"params_of_" + s.name if s.params else "NULL"}, {len(s.params)},\n'
            f'\t\t{"columns_of_" + s.name if s.columns else "NULL"}, {len(s.columns)},\n'
            f"\t\t{c_string(s.text)} }},\n")
    parts.append(f"static const struct statement statements[{len(rows)} + 1] = {{\n{''.join(rows)}\t{{ 0 }}\n}};\n")
    rows = [f'\t{{ {number}, "{title}",\n\t\t{c_string(text)} }},\n' for number, title, text in migrations]
    parts.append(f"static const struct migration migrations[{len(rows)} + 1] = {{\n{''.join(rows)}\t{{ 0 }}\n}};\n")
    parts.append(f"const struct catalog {catalog} = {{ statements, {len(statements)}, "
                 f"migrations, {len(migrations)} }};\n")
    out.write_text("".join(parts), encoding="utf-8")


def read_migrations(folder):
    """Each number once, from 1 on, in their order; one that was given up leaves a gap."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})-([a-z0-9-]+)", path.stem)
        last = found[-1][0] if found else 0
        if not match or int(match[1]) <= last:
            raise Fault(f"{path}: expected NNNN-title.sql, with a number above {last:04}")
        found.append((int(match[1]), match[2], path.read_text(encoding="utf-8")))
    return found


def main(sql, out, catalog, prefix):
    """sql: the folder with query/ and schema/; out: queries.h and queries.c go there."""
    sql, out = pathlib.Path(sql), pathlib.Path(out)
    statements = [s for path in sorted((sql / "query").glob("*.sql")) for s in read_statements(path)]
    names = [s.name for s in statements]
    for name in names:
        if names.count(name) > 1:
            raise Fault(f"two statements are called {name}")
    out.mkdir(parents=True, exist_ok=True)
    write_header(out / "queries.h", prefix, statements)
    write_tables(out / "queries.c", catalog, statements, read_migrations(sql / "schema"))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Fault as fault:
        sys.exit(str(fault))
