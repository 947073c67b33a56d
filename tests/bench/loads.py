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
DOWNLOADS = 480  # of profiles made of the template
BINDING = ("find_template", "make_package", "open_package")  # steps of GetBoundProfilePackage


class Loads:
    """A profile type with a template, and files of rows for it."""

    def __init__(self, build, postgres, rspd):
        self.build, self.postgres, self.rspd = build, postgres, rspd
        self.next = 100_000_000
        template = rspd.folder / "template.der"
        template.write_bytes(upp.profile(1, k=bytes(range(1, 17))))
        self.ctl("profile-type", "create", "loaded", "--template", template)

    def ctl(self, *words):
        run = subprocess.run([str(w) for w in (self.build / "rspctl", "-s", self.rspd.control, "--json", *words)],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return json.loads(run.stdout)

    def write(self, rows):
        """A file of as many rows, with the data that an operator gives: 12 columns, about 250 octets a row."""
        path = self.rspd.folder / "rows.csv"
        with open(path, "w", encoding="ascii") as out:
            out.write("iccid,imsi,k,opc,pin1,pin2,puk1,puk2,adm1,kic1,kid1,kik1\n")
            for n in range(self.next, self.next + rows):
                out.write(f"{upp.iccid(n)},00101{n:010d},{n:032x},{n * 77:032x},{n % 10000:04d},{n % 9999:04d},"
                          f"{n % 10**8:08d},{n % 99999999:08d},{n:016x},{n * 3:032x},{n * 5:032x},{n * 7:032x}\n")
        iccids = [upp.iccid(n) for n in range(self.next, self.next + min(rows, DOWNLOADS))]
        self.next += rows
        return path, iccids

    def load(self, rows):
        """Seconds of one load, and its first ICCIDs."""
        path, iccids = self.write(rows)
        began = time.monotonic()
        told = self.ctl("profile", "load", path, "--type", "loaded")
        seconds = time.monotonic() - began
        if told["loaded"] != rows:
            raise RuntimeError(f"the load failed: {told}")
        path.unlink()
        return seconds, iccids

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
            seconds, _ = self.load(ROWS)
            rates.append(ROWS / seconds)
            shares.append(self.bare() / seconds)
        return {"rows_per_s": statistics.median(rates), "share_of_copy": statistics.median(shares)}

    def binding_us(self):
        """Microseconds spent so far in the steps that make packages, and how many they made."""
        steps = self.rspd.ask_once("stats")["procedures"].get("GetBoundProfilePackage", [])
        mine = [s for s in steps if s["step"] in BINDING]
        return sum(s["us"] for s in mine), sum(s["runs"] for s in mine if s["step"] == "make_package")

    def personalise(self, bench):
        """Milliseconds on the clock for personalising and binding a package: steps that never wait."""
        _, iccids = self.load(DOWNLOADS)
        bench.stock.ids += bench.stock.order(iccids)
        before = self.binding_us()
        bench.load(DOWNLOADS, 16)
        after = self.binding_us()
        return (after[0] - before[0]) / (after[1] - before[1]) / 1000
