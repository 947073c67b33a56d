"""A database with the schema and moves of the tree, and connections that run the statements of sql/query
by name, prepared as the daemon prepares them: read by the very parser that makes its tables."""

import importlib.util
import pathlib
import re
import subprocess

import psycopg2
import psycopg2.extras

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PG = REPOSITORY / "tests" / "dev" / "pg"


def load_parser():
    spec = importlib.util.spec_from_file_location("sql", REPOSITORY / "src" / "store" / "sql.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


parser = load_parser()
TYPES = {kind: name for name, kind in parser.KINDS.items()}
STATEMENTS = {
    statement.name: statement
    for path in sorted((REPOSITORY / "sql" / "query").glob("*.sql"))
    for statement in parser.read_statements(path)
}

# {(event, from): to}
MOVES = {
    (event, origin): target
    for origin, event, target in re.findall(
        r"^MOVE\((\w+), (\w+), (\w+)\)", (REPOSITORY / "src/profile/moves.def").read_text(), re.M
    )
}
EVENTS = sorted({event for event, _ in MOVES})
STATES = sorted({origin for _, origin in MOVES} | set(MOVES.values()))


class Connection:
    """One session of the server. Statements commit by themselves unless begin() came before."""

    def __init__(self, folder, database):
        self.pg = psycopg2.connect(host=str(folder), user="rspd", dbname=database)
        self.pg.autocommit = True
        self.pid = self.pg.get_backend_pid()
        self.prepared = set()

    def close(self):
        self.pg.close()

    def rows(self, sql, *values):
        """Any SQL; its rows as dictionaries."""
        with self.pg.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(sql, values or None)
            return [plain(row) for row in cursor.fetchall()] if cursor.description else []

    def one(self, sql, *values):
        (row,) = self.rows(sql, *values)
        return row

    def value(self, sql, *values):
        (value,) = self.one(sql, *values).values()
        return value

    def run(self, name, /, **given):
        """A statement of sql/query; parameters that are not given are NULL."""
        statement = STATEMENTS[name]
        types = [(param, TYPES[kind]) for param, kind in statement.params]
        unknown = given.keys() - {param for param, _ in types}
        assert not unknown, f"{name} has no {unknown}"
        if name not in self.prepared:
            listed = ", ".join(kind for _, kind in types)
            self.rows(f"prepare {name}{'(' + listed + ')' if listed else ''} as {statement.text}")
            self.prepared.add(name)
        values = [given.get(param) for param, _ in types]
        marks = ", ".join(f"%s::{kind}" for _, kind in types)
        return self.rows(f"execute {name}{'(' + marks + ')' if marks else ''}", *values)

    def begin(self):
        self.rows("begin")

    def commit(self):
        self.rows("commit")


def plain(row):
    return {name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}


class Cluster:
    """A private PostgreSQL; each test file has a database of its own, made from one template."""

    def __init__(self, folder):
        self.folder = folder
        self.serial = 0

    def start(self):
        subprocess.run([PG, "start", "--fast", self.folder], check=True, stdout=subprocess.PIPE, timeout=120)
        self.run("postgres", "create database template")
        for migration in sorted((REPOSITORY / "sql" / "schema").glob("*.sql")):
            self.run("template", migration.read_text(encoding="utf-8"))
        for (event, origin), target in MOVES.items():
            self.run("template", "insert into profile_move values (%s, %s, %s)", event, origin, target)

    def stop(self):
        subprocess.run([PG, "stop", self.folder], check=True, timeout=120)

    def run(self, database, sql, *values):
        connection = Connection(self.folder, database)
        connection.rows(sql, *values)
        connection.close()

    def new(self):
        """The name of a fresh database."""
        self.serial += 1
        self.run("postgres", f"create database test{self.serial} template template strategy file_copy")
        return f"test{self.serial}"
