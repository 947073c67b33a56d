"""src/store/sql.py: what it makes of SQL files, and which mistakes in them it refuses with their place."""

import pathlib
import re
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "src/store/sql.py"


def run(folder, statement, migrations=("0001-first",)):
    """Runs the generator over one file of statements; the result and the tables."""
    (folder / "sql/query").mkdir(parents=True)
    (folder / "sql/schema").mkdir()
    (folder / "sql/query/some.sql").write_text(statement, encoding="utf-8")
    for name in migrations:
        (folder / f"sql/schema/{name}.sql").write_text("select 'a\\b\"';\n", encoding="utf-8")
    result = subprocess.run([sys.executable, SCRIPT, folder / "sql", folder / "out", "some_catalog", "X_"],
                            capture_output=True, text=True, check=False)
    tables = folder / "out/queries.c"
    return result, tables.read_text(encoding="utf-8") if tables.exists() else ""


def row(tables, name):
    """The row of one statement."""
    return re.search(rf'\{{ "{name}", (\w+), (\w+), (\w+),\s*(\w+), (\d+),\s*(\w+), (\d+),', tables)


def test_headers_become_rows(tmp_path):
    result, tables = run(tmp_path, """-- The file's own words.

-- name: thing_find(id bigint, rsp bytea) -> iccid text, first boolean   zero rows: conflict
-- What it means.
select iccid, true as first
  from thing   -- update is no write here
 where id = $1 and rsp = $2;

-- name: thing_sweep()
-- lane: background
delete from thing;

-- name: thing_lock(id bigint,
--     names text[])
--     -> id bigint
select id from thing where id = $1 and name = any($2) and word <> 'delete' for update;

-- name: thing_call() -> done boolean
-- writes
select make_things() as done;
""")
    assert result.returncode == 0, result.stderr
    assert row(tables, "thing_find").groups()[:3] == ("LANE_ONLINE", "false", "R_CONFLICT")
    assert row(tables, "thing_find").groups()[4::2] == ("2", "2")
    assert row(tables, "thing_sweep").groups()[:3] == ("LANE_BACKGROUND", "true", "R_NONE")
    assert row(tables, "thing_lock").groups()[:3] == ("LANE_ONLINE", "false", "R_NONE")
    assert row(tables, "thing_lock").groups()[4::2] == ("2", "1")
    assert row(tables, "thing_call").groups()[1] == "true"
    assert '{ "names", KIND_TEXT_ARRAY }' in tables
    assert r'a\\b\"' in tables
    header = (tmp_path / "out/queries.h").read_text(encoding="utf-8")
    assert re.findall(r"X_\w+(?=,|\n\})", header) == [
        "X_THING_FIND", "X_THING_SWEEP", "X_THING_LOCK", "X_THING_CALL", "X_COUNT"]


@pytest.mark.parametrize("statement,said", [
    ("select 1;", "some.sql:1: SQL without"),
    ("-- name: a() -> n integer\nselect 1 as n", "some.sql:1: the statement does not end"),
    ("-- name: a()\nselect 1\n-- name: b()\nselect 2;", "some.sql:1: the statement does not end"),
    ("-- name: a(n int)\nselect $1;", "'n int' is no name and known type"),
    ("-- name: a(n integer)\nselect 1;", "declares 1 parameters"),
    ("-- name: a(n integer)\nselect $1, $2;", "declares 1 parameters"),
    ("-- name: a() -> n bigint[]\nselect 1;", "returns an array"),
    ("-- name: a() -> n bigint   zero rows: never\nselect 1;", "some.sql:1:"),
    ("-- name: a()\n-- lane: fast\nselect 1;", "no lane 'fast'"),
    ("-- name: a()\nselect 1;\n-- name: a()\nselect 2;", "two statements are called a"),
    ("-- name: a(" + ", ".join(f"p{n} text" for n in range(33)) + ")\nselect "
     + ", ".join(f"${n + 1}" for n in range(33)) + ";", "more than 32 parameters"),
])
def test_mistakes_are_refused_with_their_place(tmp_path, statement, said):
    result, tables = run(tmp_path, statement)
    assert result.returncode != 0
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert tables == ""


@pytest.mark.parametrize("names", [("0000-zeroth",), ("0001-first", "0001-again"), ("first",)])
def test_migrations_have_numbers_of_their_own(tmp_path, names):
    result, _ = run(tmp_path, "", names)
    assert result.returncode != 0
    assert "title.sql" in result.stderr
