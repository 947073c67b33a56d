"""Bulk loads and personalisation, measured: what make bench writes as load.* and personalise.*."""

import contextlib
import io
import json
import statistics
import subprocess
import time

import psycopg2

import upp

ROWS = 200_000   # of one load
RUNS = 3
MILLION = 1_000_000


class Loads:
    """A profile type with a template, and files of rows for it."""

    def __init__(self, build, postgres, rspd):
        self.build, self.postgres, self.rspd = build, postgres, rspd
        self.next = 100_000_000
        template = rspd.folder / "template.der"
        template.write_bytes(upp.profile(1, k=bytes(range(1, 17))))
        self.ctl("profile-type", "create", "loaded", "--template", template)

    def ctl(self, *words, check=True):
        run = subprocess.run([str(w) for w in (self.build / "rspctl", "-s", self.rspd.control, "--json", *words)],
                             check=check, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return json.loads(run.stdout)

    def write(self, rows):
        """A file of as many rows, with the data that an operator gives: 12 columns, about 250 octets a row."""
        path = self.rspd.folder / "rows.csv"
        with open(path, "w", encoding="ascii") as out:
            out.write("iccid,imsi,k,opc,pin1,pin2,puk1,puk2,adm1,kic1,kid1,kik1\n")
            for n in range(self.next, self.next + rows):
                out.write(f"{upp.iccid(n)},00101{n:010d},{n:032x},{n * 77:032x},{n % 10000:04d},{n % 9999:04d},"
                          f"{n % 10**8:08d},{n % 99999999:08d},{n:016x},{n * 3:032x},{n * 5:032x},{n * 7:032x}\n")
        self.next += rows
        return path

    def load(self, rows):
        """Seconds of one load."""
        path = self.write(rows)
        began = time.monotonic()
        told = self.ctl("profile", "load", path, "--type", "loaded")
        seconds = time.monotonic() - began
        if told["loaded"] != rows:
            raise RuntimeError(f"the load failed: {told}")
        path.unlink()
        return seconds

    def bare(self):
        """Seconds of a COPY of the rows that the newest load made, into a table without index or constraint."""
        with contextlib.closing(psycopg2.connect(self.postgres.connection)) as connection:
            connection.autocommit = True
            cursor, rows = connection.cursor(), io.BytesIO()
            cursor.execute("create table bare as select * from profile with no data")
            cursor.copy_expert("copy (select * from profile where load_id = (select max(id) from profile_load))"
                               " to stdout (format binary)", rows)
            rows.seek(0)
            began = time.monotonic()
            cursor.copy_expert("copy bare from stdin (format binary)", rows, size=1 << 20)
            seconds = time.monotonic() - began
            cursor.execute("drop table bare")
        return seconds

    def measure(self):
        rates, shares = [], []
        for _ in range(RUNS):
            seconds = self.load(ROWS)
            rates.append(ROWS / seconds)
            shares.append(self.bare() / seconds)
        return {"rows_per_s": statistics.median(rates), "share_of_copy": statistics.median(shares)}

    def million(self):
        """Seconds until a load of a million rows is refused for one of them."""
        path = self.write(MILLION)
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.readline()
            file.seek(file.tell())
            file.write(b"x")
        began = time.monotonic()
        told = self.ctl("profile", "load", path, "--type", "loaded", check=False)
        seconds = time.monotonic() - began
        if (told["rows"], told["refused"], told["loaded"]) != (MILLION, 1, 0):
            raise RuntimeError(f"a million rows, one of them wrong: {told}")
        path.unlink()
        return seconds

    def personalise(self):
        """Milliseconds of CPU for personalising and binding a package, in a thread that does nothing else."""
        run = subprocess.run([self.build / "bench/personalise", self.rspd.folder / "template.der"], check=True,
                             stdout=subprocess.PIPE, text=True)
        return json.loads(run.stdout)["cpu_ms"]
