"""Servers of others that rspd calls, as rspsim plays them: an operator's, told to fail in every way."""

import json
import os
import signal
import subprocess

from harness import BUILD, free_port, wait_for

DS_OID = "2.999.15"


class Server:
    """A verb of rspsim that serves. It may be killed and started again on its port."""

    verb = ()

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.port = free_port()
        self.process = None

    def words(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "rspsim", *self.verb, "--listen", f"127.0.0.1:{self.port}", *self.words()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline().startswith("listening")
        return self

    def tell(self, line):
        """How it is to fail from now on."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "as you say\n"

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.kill()


class Operator(Server):
    verb = ("operator", "serve")

    def __init__(self, folder, name, site):
        super().__init__(folder, name)
        tls = site.trees["nist"].make_tls("localhost")
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_text(tls.pem)
        self.key = folder / f"{name}.key"
        self.key.write_text(tls.key_pem())
        self.roots = site.folder / "nist-ci.pem"
        self.record = folder / f"{name}.jsonl"

    def words(self):
        return ["--certificate", self.certificate, "--key", self.key, "--ca", self.roots,
                "--record", self.record]

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def lines(self):
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def calls(self, iccid=None):
        """What was told, each once, in the order in which it came first."""
        return [
            line["call"]
            for line in self.lines()
            if line["is"] != "again" and iccid in (None, line["call"]["iccid"].rstrip("F"))
        ]

    def points(self, iccid):
        return [
            (c["notificationPointId"], c["notificationPointStatus"]["status"])
            for c in self.calls(iccid)
        ]

    def waits_for(self, iccid, n):
        wait_for(
            lambda: len(self.calls(iccid)) >= n, lambda: f"{n} calls: {self.points(iccid)}"
        )
        return self.calls(iccid)


class SmDs(Server):
    """An SM-DS with certificates of the site's CIs."""

    verb = ("sm-ds", "serve")

    def __init__(self, folder, name, site, curves=("nist", "brainpool")):
        super().__init__(folder, name)
        self.pki = folder / f"{name}-pki"
        self.events_file = folder / f"{name}-events.json"
        for curve in curves:
            tree, at = site.trees[curve], self.pki / curve
            at.mkdir(parents=True)
            # What cards are made of stands beside, so that rspsim makes some for this PKI.
            auth = tree.make_dp("auth", policy=7, rid=DS_OID)
            tls = tree.make_tls("localhost", policy=6, rid=DS_OID)
            (at / "ci.pem").write_text(tree.ci.pem)
            for role, signed in (("eum", tree.eum), ("dsauth", auth), ("dstls", tls)):
                (at / f"{role}.pem").write_text(signed.pem)
                (at / f"{role}.key").write_text(signed.key_pem())

    def words(self):
        return ["--pki", self.pki, "--record", self.events_file]

    @property
    def address(self):
        return f"localhost:{self.port}"

    def events(self):
        if not self.events_file.exists():
            return []
        return [(e["eid"], e["eventId"]) for e in json.loads(self.events_file.read_text())]
