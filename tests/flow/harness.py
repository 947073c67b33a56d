"""PostgreSQL, rspd and rspctl as objects: made in a scratch folder, broken, looked at, and stopped
with the promise that rspd left cleanly and no sanitizer had anything to say."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import psycopg2

import pki
import seeds
from web import Client

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
BUILD = REPOSITORY / os.environ.get("RSPD_BUILD", "build")
PG = REPOSITORY / "tests" / "dev" / "pg"
NAMES = {"nist": "smdp.example.org", "brainpool": "brainpool.example.org"}
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed")
PATIENCE = 60


def wait_for(condition, what, patience=PATIENCE):
    """Polls until the condition holds and returns its value."""
    end = time.monotonic() + patience
    pause = 0.005
    while not (value := condition()):
        assert time.monotonic() < end, f"waited too long for {what() if callable(what) else what}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return value


def scratch_place():
    """Where clusters of tests live: in memory where there is plenty, since they hold a gigabyte in the
    end, which a disk takes long to forget. A short path either way, open to other users."""
    memory = pathlib.Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= 8 << 30
    return memory if roomy and os.access(memory, os.W_OK) else pathlib.Path("/tmp")


held = []  # sockets that never listen


def free_port():
    """A port of the loopback that nobody else is given while these tests run, also between the end of
    a daemon and its next start. Our programs may bind it beside us: they share what they bind."""
    s = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        s.setsockopt(socket.SOL_SOCKET, option, 1)
    s.bind(("127.0.0.1", 0))
    held.append(s)
    return s.getsockname()[1]


class Postgres:
    """A private cluster; everything that needs a superuser goes through here."""

    def __init__(self, folder):
        self.folder = folder
        self.serial = 0

    def start(self):
        run = subprocess.run(
            [PG, "start", "--fast", self.folder], capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stderr
        return self

    def stop(self):
        subprocess.run([PG, "stop", self.folder], check=True, timeout=120)

    def pid(self):
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def end(self):
        """Without a checkpoint, since its folder goes with it; shared memory is given back."""
        pid = self.pid()
        os.kill(pid, signal.SIGQUIT)
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists() or is_zombie(pid), "the end")

    def kill(self):
        """As a power cut for the server process and all of its children."""
        pid = self.pid()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for p in [pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(p, signal.SIGKILL)
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists() or is_zombie(pid), "the end")
        # Where nobody collects orphans the dead server still has a process number, and the next
        # one would believe that it lives.
        for path in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.folder / path).unlink(missing_ok=True)

    def connect(self, database="postgres"):
        connection = psycopg2.connect(host=str(self.folder), user="rspd", dbname=database)
        connection.autocommit = True
        return connection

    def run(self, sql, database="postgres"):
        with contextlib.closing(self.connect(database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else None

    def new_database(self, template=None):
        self.serial += 1
        name = f"flow{self.serial}"
        if self.serial == 1:
            self.run("create role flow login")  # rspd needs no superuser
        source = f" template {template}" if template else ""
        # As files: not each page through the log, which takes twice as long.
        self.run(f"create database {name} owner flow{source} strategy file_copy")
        return Database(self, name)

    def log_size(self):
        return (self.folder / "log").stat().st_size

    def log_since(self, offset):
        with open(self.folder / "log", errors="replace") as f:
            f.seek(offset)
            return f.read()


def is_zombie(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


class Database:
    def __init__(self, postgres, name):
        self.postgres, self.name = postgres, name
        self.conninfo = f"host={postgres.folder} user=flow dbname={name}"
        self.connection = None

    def rows(self, sql):
        """Over one connection that is kept, and made anew when PostgreSQL was away."""
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = self.postgres.connect(self.name)
                with self.connection.cursor() as cursor:
                    cursor.execute(sql)
                    return cursor.fetchall() if cursor.description else None
            except psycopg2.OperationalError:
                self.close()
                if attempt == 2:
                    raise

    def value(self, sql):
        return self.rows(sql)[0][0]

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def tables(self):
        return [
            r[0]
            for r in self.rows(
                "select c.oid::regclass::text from pg_class c join pg_namespace n"
                " on n.oid = c.relnamespace where c.relkind = 'r'"
                " and n.nspname not in ('pg_catalog', 'information_schema') order by 1"
            )
        ]

    def fingerprint(self):
        """What every table holds, to tell that nothing changed. The seals of the audit trail are left out, and
        the counts of refused calls (test_history holds these): rspd makes them by itself, later."""
        parts = (
            f"select '{table}', count(*), md5(string_agg(row, chr(10) order by row))"
            f" from (select (to_jsonb(t) - 'seal_id')::text from {table} t) x(row)"
            for table in self.tables()
            if table not in ("audit_seal", "refused_call")
        )
        return self.rows(" union all ".join(parts))


class Site:
    """What an operator owns: certificates of two CIs, keys, and the names of its server."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.trees = {curve: pki.Tree(curve) for curve in ("nist", "brainpool")}
        self.revoked_eum = {c: t.make_revoked_eum() for c, t in self.trees.items()}
        for curve, tree in self.trees.items():
            self.write(f"{curve}-ci.pem", tree.ci.pem)
            self.write(f"{curve}-crl.pem", tree.make_crl())
            for role in ("auth", "pb"):
                self.write_pair(f"{curve}-{role}", getattr(tree, role))
            names = [NAMES[curve], f"second-{NAMES[curve]}"]
            self.write_pair(f"{curve}-tls", tree.make_tls(*names))
        for name in ("cluster", "seal"):
            self.write(f"{name}.key", os.urandom(32).hex() + "\n")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def write_pair(self, name, signed):
        self.write(f"{name}.pem", signed.pem)
        self.write(f"{name}.key", signed.key_pem())


DEFAULTS = {
    "dp": {"brainpool_signatures_per_second": 1000},
    "log": {"level": "notice"},
}


class Rspd:
    """One rspd process with its configuration, control socket and log."""

    def __init__(self, folder, site, database, **options):
        """`options` are dicts by section: dp=dict(...), limits=dict(...), log=dict(...)."""
        self.folder, self.site, self.database = folder, site, database
        folder.mkdir(exist_ok=True)
        self.ports = {curve: free_port() for curve in site.trees}
        self.control = folder / "s"
        self.config = folder / "rspd.conf"
        self.log_path = folder / "log"
        self.process = None
        self.options = {k: {**DEFAULTS.get(k, {}), **v} for k, v in {**DEFAULTS, **options}.items()}
        self.clean = True
        self.clients = []
        self.write_config()

    # ---- configuration ---------------------------------------------------------------------------

    def sections(self):
        f = self.site.folder
        yield "rspd", {
            "control": self.control,
            "cluster_key": f / "cluster.key",
            "seal_key": f / "seal.key",
        }
        yield "database", {"connection": self.database.conninfo}
        for c in self.site.trees:
            yield f"ci {c}", {"certificate": f / f"{c}-ci.pem", "crl": f / f"{c}-crl.pem"}
            yield f"credential {c}", {
                "auth_certificate": f / f"{c}-auth.pem",
                "auth_key": f / f"{c}-auth.key",
                "pb_certificate": f / f"{c}-pb.pem",
                "pb_key": f / f"{c}-pb.key",
            }
            yield f"listener {c}", {
                "address": "127.0.0.1",
                "port": self.ports[c],
                "names": f"{NAMES[c]}, second-{NAMES[c]}",
                "certificate": f / f"{c}-tls.pem",
                "key": f / f"{c}-tls.key",
            }
        for section in ("dp", "outbox", "limits", "log"):
            yield section, {}

    def write_config(self):
        out = []
        sections = dict(self.sections())
        for section, values in {**dict.fromkeys(self.options, {}), **sections}.items():
            values = {**values, **self.options.get(section, {})}
            out.append(f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))
        self.config.write_text("\n".join(out))

    # ---- the process -----------------------------------------------------------------------------

    def command(self, *words):
        return [BUILD / "rspd", "-c", self.config, *words]

    def environment(self):
        return {**os.environ, "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1"}

    def once(self, *words, check=True):
        run = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.environment(),
        )
        assert not check or run.returncode == 0, run.stderr
        return run

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stderr=log, stdout=log, env=self.environment()
            )
        wait_for(self.ready, lambda: f"rspd to start: {self.log_tail()}")
        return self

    def ready(self):
        assert self.process.poll() is None, f"rspd ended: {self.log_tail()}"
        try:
            self.ask("stats")
            for curve in self.ports:
                self.raw(curve).close()
        except (OSError, ValueError):
            return False
        return True

    def stop(self):
        """SIGTERM; a clean end with exit code 0 is part of every test."""
        for client in self.clients:
            client.close()
        self.clients = []
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.process.poll() is None and self.process.kill()
        self.process = None
        assert code == 0, f"exit code {code}: {self.log_tail()}"
        self.check_log()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def signal(self, number):
        self.process.send_signal(number)

    # ---- the log ---------------------------------------------------------------------------------

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self):
        return self.log()[-3000:]

    def check_log(self):
        report = SANITIZER.search(self.log())
        assert not report, self.log()[max(0, report.start() - 200) : report.start() + 4000]

    @contextlib.contextmanager
    def log_lines(self):
        """The lines that are written inside the block, filled in at its end."""
        start, lines = len(self.log()), []
        yield lines
        lines += self.log()[start:].splitlines()

    # ---- control ---------------------------------------------------------------------------------

    def ask(self, verb, **args):
        """One request on the control socket. An error answer fails the test with its words."""
        answer = self.ask_any(verb, **args)
        assert "ok" in answer, (verb, args, answer)
        return answer["ok"]

    def ask_any(self, verb, **args):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(str(self.control))
            s.sendall(json.dumps({"verb": verb, "args": args}).encode() + b"\n")
            said = []
            with s.makefile("rb") as lines:
                for line in lines:
                    said.append(line)
                    answer = json.loads(line)
                    if "progress" not in answer:
                        seeds.keep_control(verb, said)
                        return answer
        raise OSError("the control socket was closed without an answer")

    def ctl(self, *words, check=True):
        """rspctl --json; what it printed. With check=False: (exit code, printed, said)."""
        run = subprocess.run(
            [BUILD / "rspctl", "-s", self.control, "--json", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if not check:
            return run.returncode, run.stdout, run.stderr
        assert run.returncode == 0, (words, run.stdout, run.stderr)
        return json.loads(run.stdout) if run.stdout.strip() else None

    # ---- clients ---------------------------------------------------------------------------------

    def client(self, curve="nist", name=None, per_call=False, kind=Client):
        client = kind(
            name or NAMES[curve], self.ports[curve], self.site.trees[curve].ci.pem, curve, per_call
        )
        self.clients.append(client)
        return client

    def raw(self, curve="nist"):
        """A TCP connection without TLS, for clients that misbehave."""
        return socket.create_connection(("127.0.0.1", self.ports[curve]), timeout=PATIENCE)

    def tls(self, curve="nist"):
        """A TLS connection that speaks whatever the test wants."""
        return self.client(curve).open().sock

    def serves(self):
        """A card gets an answer: the daemon is alive and its database is not needed for this."""
        with contextlib.suppress(OSError, ssl.SSLError):
            return self.client(per_call=True).request("/", method="GET").status > 0
        return False


def digest(octets):
    return hashlib.sha256(octets).hexdigest()
