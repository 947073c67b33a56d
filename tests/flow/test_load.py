"""Bulk loads: what is refused is named by line, column and reason; all rows become profiles or none, whoever is
killed; two at a time; what a peer of the control socket may do wrong."""

import contextlib
import fcntl
import itertools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

import upp
from harness import BUILD, wait_for
from test_templates import csv_of, load, make_type, row, write


@pytest.fixture(scope="module")
def stock(rspd):
    make_type(rspd, "T", words=["--imsi-range", "001010000000000-001018999999999", "--owner", "00101"])
    return rspd


def count(rspd, where="true"):
    return rspd.database.value(f"select count(*) from profile where {where}")


def staged(rspd):
    return rspd.database.rows("select relname from pg_class where relname like 'profile_staging_%'")


def try_load(rspd, octets, *words, name="try.csv", type_name="T"):
    """What the load says of the file, whatever it is; nothing of it stays when a row is refused."""
    before = count(rspd)
    path = write(rspd, name, octets)
    code, printed, said = rspd.ctl("profile", "load", path, "--type", type_name, *words, check=False)
    assert printed, said
    told = json.loads(printed)
    if "error" in told:
        return told["error"]
    assert code == (1 if told["refused"] else 0)
    assert count(rspd) - before == told["loaded"] == (0 if told["refused"] or told["dryRun"] else told["rows"])
    assert not staged(rspd)
    return told


def faults(rspd, octets, *words, **more):
    told = try_load(rspd, octets, *words, **more)
    return [(f["line"], f.get("column"), f["reason"]) for f in told["faults"]]


# ---- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change,column,words",
    [
        ({"iccid": "89494499990000000"}, "iccid", "digits"),
        ({"iccid": "8949449999000000000000"}, "iccid", "digits"),
        ({"iccid": "8949449999500000X"}, "iccid", "digit"),
        ({"iccid": "89494499995000001"}, "iccid", "digits"),
        ({"iccid": "8949449999500000018"}, "iccid", "Luhn"),
        ({"iccid": ""}, "iccid", "missing"),
        ({"imsi": "00101"}, "imsi", "digits"),
        ({"imsi": "0010100000000001"}, "imsi", "digits"),
        ({"imsi": "00101000000000x"}, "imsi", "digit"),
        ({"imsi": "001019000000000"}, "imsi", "range"),
        ({"imsi": "00101000000001"}, "imsi", "range"),
        ({"imsi": "002010000000001"}, "imsi", "network"),
        ({"imsi": ""}, "imsi", "missing"),
        ({"k": "00" * 15}, "k", "octets"),
        ({"k": "0"}, "k", "odd"),
        ({"k": "zz" * 16}, "k", "hexadecimal"),
        ({"k": ""}, "k", "missing"),
        ({"k": bytes(range(16)).hex()}, "k", "published test key"),
        ({"opc": ""}, "opc", "missing"),
        ({"opc": "00" * 32}, "opc", "octets"),
        ({"pin1": "123"}, "pin1", "digits"),
        ({"pin1": "12345678901"}, "pin1", "digits"),
        ({"pin1": "12a4"}, "pin1", "digit"),
        ({"puk1": "1234567"}, "puk1", "digits"),
        ({"adm1": "123456789"}, "adm1", "digits"),
        ({"acc": "01"}, "acc", "octets"),
        ({"kic1": "00"}, "kic1", "octets"),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else None,
)
def test_a_row_is_refused(stock, change, column, words):
    good, bad = row(adm1="1234", acc="0001", kic1="00" * 16), row(adm1="1234", acc="0001", kic1="00" * 16)
    ((line, where, reason),) = faults(stock, csv_of([good, bad | change]))
    assert (line, where) == (3, column)
    assert words in reason
    for secret in bad.values():
        assert secret not in reason


def test_every_refused_row_is_named_and_counted(stock):
    rows = [row() for _ in range(1500)]
    for r in rows[100:1400]:
        r["k"] = "no"
    told = try_load(stock, csv_of(rows))
    assert (told["rows"], told["refused"], len(told["faults"])) == (1500, 1300, 1000)
    assert [f["line"] for f in told["faults"][:3]] == [102, 103, 104]


def test_duplicates_in_the_file_and_in_the_database(stock):
    old = row()
    load(stock, "T", [old])
    twice = row()
    found = faults(stock, csv_of([twice, old, row(), twice]))
    assert [(line, column) for line, column, _ in found] == [(3, "iccid"), (5, "iccid")]
    assert "here already" in found[0][2] and "line 2" in found[1][2]


def test_an_imsi_is_in_one_profile(stock):
    old = row()
    load(stock, "T", [old])
    first, second = row(), row()
    found = faults(stock, csv_of([first, row(imsi=old["imsi"]), second | {"imsi": first["imsi"]}, row()]))
    assert [(line, column) for line, column, _ in found] == [(3, "imsi"), (4, "imsi")]
    assert "here already" in found[0][2] and "line 2" in found[1][2]
    assert old["imsi"] not in found[0][2]
    rows = [row(imsi=old["imsi"]), row(), row()]
    assert [(line, column) for line, column, _ in faults(stock, csv_of(rows))] == [(2, "imsi")]
    assert [line for line, _, _ in faults(stock, csv_of([row(), row(imsi=old["imsi"])]), "--dry-run")] == [3]


def test_an_imported_profile_keeps_its_imsi(stock):
    imported = upp.profile(599_998, imsi="001010599999998")
    stock.ctl("profile", "import", write(stock, "imported.der", imported), "--type", "packages")
    found = faults(stock, csv_of([row(imsi="001010599999998")]))
    assert [(line, column) for line, column, _ in found] == [(2, "imsi")]


def test_types_that_share_imsis(stock):
    make_type(stock, "bootstrap", words=["--shared-imsi"])
    imsi = row()["imsi"]
    assert try_load(stock, csv_of([row(imsi=imsi), row(imsi=imsi)]), type_name="bootstrap")["loaded"] == 2
    assert stock.ctl("profile-type", "show", "bootstrap")["sharedImsi"] is True
    stock.ctl("profile-type", "set", "bootstrap", "--shared-imsi", "no")
    assert [c for _, c, _ in faults(stock, csv_of([row(imsi=imsi)]), type_name="bootstrap")] == ["imsi"]


def test_a_type_is_set(stock):
    make_type(stock, "settled", words=["--imsi-range", "001010000000000-001010000000001"])
    rows = csv_of([row()])
    assert "range" in faults(stock, rows, type_name="settled")[0][2]
    told = stock.ctl("profile-type", "set", "settled", "--imsi-range", "001010000000000-001019999999999", "--low-water", 7)
    assert told == {"name": "settled", "operator": "default", "lowWater": 7, "sharedImsi": False,
                    "imsiRange": "001010000000000-001019999999999"}
    assert try_load(stock, rows, type_name="settled")["loaded"] == 1
    assert "imsiRange" not in stock.ctl("profile-type", "set", "settled", "--any-imsi", "--low-water", 0)
    for words in ([], ["--any-imsi", "--imsi-range", "1-2"], ["--shared-imsi", "perhaps"], ["--imsi-range", "12-13"], ["--low-water", 2**31],
                  ["--any-imsi", "--imsi-range", "001010000000000-001019999999999"]):
        code, printed, _ = stock.ctl("profile-type", "set", "settled", *words, check=False)
        assert code and json.loads(printed)["error"]["code"] == "arguments", words
    code, printed, _ = stock.ctl("profile-type", "set", "nobody", "--any-imsi", check=False)
    assert json.loads(printed)["error"]["code"] == "type-unknown"


def test_all_that_is_wrong_is_told_at_once(stock):
    old, bad = row(), row(pin1="x")
    load(stock, "T", [old])
    assert [(line, column) for line, column, _ in faults(stock, csv_of([bad, old]))] == [(2, "pin1"), (3, "iccid")]


def test_a_dry_run_loads_nothing(stock):
    rows = [row(), row()]
    assert try_load(stock, csv_of(rows), "--dry-run")["rows"] == 2
    assert [line for line, _, _ in faults(stock, csv_of([rows[0], rows[0]]), "--dry-run")] == [3]
    assert try_load(stock, csv_of(rows))["loaded"] == 2


# ---- files ---------------------------------------------------------------------------------------


def test_columns_of_other_names(stock):
    r = row()
    text = csv_of([{"Karte": r.pop("iccid"), "internal": "x", **r}])
    assert [column for _, column, _ in faults(stock, text)] == ["Karte"]
    told = try_load(stock, text, "--map", "Karte=iccid", "--map", "internal=-")
    assert told["loaded"] == 1


@pytest.mark.parametrize(
    "head,column,words",
    [
        ("iccid,imsi,k,opc,colour", "colour", ""),
        ("iccid,imsi,k,opc,k", "k", "twice"),
        ("iccid,k,opc,pin1", "imsi", "missing"),
        ("iccid,imsi,k,opc,impi", "impi", ""),
    ],
)
def test_the_first_row_is_refused(stock, head, column, words):
    ((line, where, reason),) = faults(stock, head + "\n" + "1," * 3 + "1\n")
    assert (line, where) == (1, column) and words in reason


@pytest.mark.parametrize(
    "octets,words",
    [
        (b"", "no rows"),
        (b"iccid,imsi,k,opc\n", "no rows"),
        (csv_of([row()]).encode("utf-16"), "UTF-16"),
        (csv_of([row()]).encode("utf-16-le"), "NUL"),
        (b"iccid,imsi,k,opc\n\xe9\xe9,1,1,1\n", "UTF-8"),
        (b"iccid,imsi,k,opc\n1,2,3\n", "cells"),
        (b'iccid,imsi,k,opc\n1,2"2,3,4\n', "quote"),
        (b"iccid,imsi,k,opc\n" + b"1" * 40000 + b",2,3,4\n", "too long"),
        (bytes(range(1, 256)) * 40, ""),
    ],
    ids=["empty", "names alone", "UTF-16", "UTF-16 without a mark", "Latin-1", "cells", "quote", "long", "noise"],
)
def test_a_file_is_refused(stock, octets, words):
    found = faults(stock, octets)
    assert found and words in found[0][2]
    if words == "UTF-8":
        assert found[0][1] == "iccid"
    if words == "quote":
        assert found[0][1] == "imsi"


def test_spellings_of_csv(stock):
    rows = [row() for _ in range(4)]
    for i, text in enumerate(
        [
            csv_of(rows[:1]).replace("\n", "\r\n"),
            "\ufeff" + csv_of(rows[1:2]).replace(",", ";"),
            csv_of(rows[2:3]).rstrip("\n"),
            "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in csv_of(rows[3:]).split()) + "\n\n",
        ]
    ):
        assert try_load(stock, text.encode())["loaded"] == 1, i


def test_json_lines(stock):
    rows = [row(), row(msisdn=None), row()]
    rows[2] = dict(reversed(rows[2].items()))
    lines = [json.dumps(r) for r in rows]
    assert try_load(stock, "\n".join([lines[0], "", *lines[1:]]), name="data.jsonl")["loaded"] == 3
    wrong = [json.dumps(row()), "{", json.dumps(row(k="00")), "[]", json.dumps(row() | {"pin1": 1234}),
             json.dumps(row() | {"colour": "red"})]
    found = faults(stock, "\n".join(wrong), "--format", "json")
    assert [(line, column) for line, column, _ in found] == [
        (2, None), (3, "k"), (4, None), (5, "pin1"), (6, "colour")]
    assert "cut off" in found[0][2] and "array" in found[2][2] and "quotes" in found[3][2]


def test_json_of_other_encodings_and_members_that_are_no_texts(stock):
    digits = json.dumps(row()).replace('"iccid": "', '"iccid": ').replace('", "imsi"', ', "imsi"')
    doubled = json.dumps(row())[:-1] + ', "k": "' + "00" * 16 + '"}'
    latin = json.dumps(row()).encode().replace(b'"pin1": "', b'"pin1": "\xe9')
    text = b"\n".join([json.dumps(row()).encode(), digits.encode(), doubled.encode(), latin])
    found = faults(stock, text, "--format", "json")
    assert [(line, column) for line, column, _ in found] == [(2, "iccid"), (3, "k"), (4, "pin1")]
    assert [word in f[2] for word, f in zip(("no text", "twice", "UTF-8"), found)] == [True] * 3
    told = try_load(stock, json.dumps(row()).encode("utf-16"), "--format", "json")
    assert told["fileRefused"] and "UTF-16" in told["faults"][0]["reason"]


def test_a_mapped_column_must_be_there(stock):
    for name, text in (("a.csv", csv_of([row(), row()])), ("a.jsonl", json.dumps(row()) + "\n" + json.dumps(row()))):
        told = try_load(stock, text, "--map", "X=iccid", "--map", "Y=-", name=name)
        ((line, column, reason),) = [(f["line"], f["column"], f["reason"]) for f in told["faults"]]
        assert (line, column) == (1, "X") and "no such column" in reason and told["refused"] == 1


@pytest.mark.parametrize("text", ["iccid,colour\n1,2\n3,4\n", "\ufeff", "a\0b\n"], ids=["names", "nothing", "NUL"])
def test_a_refused_file_is_not_a_refused_row(stock, text):
    run = subprocess.run([BUILD / "rspctl", "-s", stock.control, "profile", "load", "-", "--type", "T"],
                         input=text, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and "the file is refused" in run.stderr and "rows are refused" not in run.stderr
    assert "line 1" in run.stderr
    assert try_load(stock, text)["fileRefused"] and not try_load(stock, csv_of([row(k="")]))["fileRefused"]


def test_a_pipe_gets_all_faults_that_are_told(stock):
    run = subprocess.run([BUILD / "rspctl", "-s", stock.control, "profile", "load", "-", "--type", "T"],
                         input=csv_of([row(k="no") for _ in range(1100)]), capture_output=True, text=True, timeout=60,
                         check=False)
    assert run.stderr.count(", k: ") == 1000 and "… and 100 more" in run.stderr


def test_a_pipe(stock):
    rows = [row() for _ in range(3)]
    run = subprocess.run([BUILD / "rspctl", "-s", stock.control, "profile", "load", "-", "--type", "T"],
                         input=csv_of(rows), capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "3 profiles loaded\n"
    run = subprocess.run([BUILD / "rspctl", "-s", stock.control, "profile", "load", "-", "--type", "T"],
                         input=csv_of([rows[0], row(k="")]), capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and "line 2, iccid: " in run.stderr and "line 3, k: " in run.stderr
    assert "2 of 2 rows are refused" in run.stderr


def test_types_that_cannot_be_loaded(stock):
    stock.ask("profile-type create", name="without")
    assert try_load(stock, csv_of([row()]), type_name="without")["code"] == "type-without-template"
    assert try_load(stock, csv_of([row()]), type_name="nobody")["code"] == "type-unknown"
    assert try_load(stock, csv_of([row()]), "--operator", "nobody")["code"] == "operator-unknown"
    assert try_load(stock, csv_of([row()]), "--format", "xml")["code"] == "arguments"


# ---- many, and what happens meanwhile ------------------------------------------------------------


blocks = itertools.count(100)


def many(n, bad=None):
    """So many rows that no other call made; line `bad` is too short."""
    lines, first = ["iccid,imsi,k,opc"], next(blocks) * 1_000_000
    for at in range(first, first + n):
        lines.append(f"{upp.luhn(f'8949449998{at:09d}')},00101{at:010d},{at:032x},{at + 1:032x}")
    if bad is not None:
        lines[bad - 1] = lines[bad - 1][:-1]
    return "\n".join(lines) + "\n"


ROWS = int(os.environ.get("LOAD_ROWS", "50000"))


def test_one_bad_line_of_many(stock):
    """LOAD_ROWS=1000000 makes it a million: a quarter of a minute on a quiet machine, too much for each run of all tests
    under the sanitizers. `make bench` does so each time."""
    assert [line for line, _, _ in faults(stock, many(ROWS, bad=ROWS - 1))] == [ROWS - 1]


def send(rspd, octets, end=True, **args):
    """A load by hand; the connection, when everything has been sent that may be."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(str(rspd.control))
    s.sendall(json.dumps({"verb": "profile load", "args": {"type": "T", **args}}).encode() + b"\n")
    lines = s.makefile("rb")
    go = json.loads(lines.readline())["go"]
    for at in range(0, len(octets), 32768):
        piece = octets[at : at + 32768]
        while go < at + len(piece):
            go = json.loads(lines.readline())["go"]
        s.sendall(b"%d\n" % len(piece) + piece)
    if end:
        s.sendall(b"0\n")
    return s, lines


def answer(lines):
    for line in lines:
        told = json.loads(line)
        if "go" not in told:
            return told
    return None


def leave(connection):
    """Also while somebody still reads from it."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def test_a_peer_that_leaves(stock):
    before = count(stock)
    connection, _ = send(stock, many(5000).encode(), end=False)
    wait_for(lambda: staged(stock), "a load that began")
    leave(connection)
    wait_for(lambda: "LOAD_ABANDONED" in stock.log(), "its end")
    assert count(stock) == before
    stock.database.rows("select profile_load_sweep()")
    assert not staged(stock)


def unread(peer):
    return struct.unpack("i", fcntl.ioctl(peer, termios.FIONREAD, b"\0\0\0\0"))[0]


def answers_that_fit(rspd):
    """How many answers to bad lines the kernel keeps for a peer that reads none."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(rspd.control))
        peer.sendall(b"x\n" * 3000)
        kept = -1
        while unread(peer) != kept:
            kept = unread(peer)
            time.sleep(0.3)
        return kept // len(peer.makefile("rb").readline())


def test_a_peer_that_leaves_and_has_not_read(stock):
    """What it was to be told waits to be written, and the database is slow in the middle of its octets: they are in
    use when it leaves."""
    before, fit = count(stock), answers_that_fit(stock)
    octets = many(20_000).encode()
    frames = b"".join(b"%d\n" % len(octets[at : at + 400_000]) + octets[at : at + 400_000]
                      for at in range(0, len(octets), 400_000))
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(stock.control))
            peer.settimeout(20)
            peer.sendall(b"x\n" * (fit - 1))
            time.sleep(0.3)
            peer.sendall(json.dumps({"verb": "profile load", "args": {"type": "T"}}).encode() + b"\n")
            peer.sendall(frames[:700_000])
            backends = wait_for(lambda: stock.database.rows(
                "select pid from pg_stat_activity where query like 'copy profile_staging%' and state = 'active'"),
                "rows on their way")
            for (pid,) in backends:
                os.kill(pid, signal.SIGSTOP)
            peer.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                peer.sendall(frames[700_000:])
        time.sleep(0.1)
        for (pid,) in backends:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.3)
        assert stock.process.poll() is None, stock.log()[-4000:]
    assert count(stock) == before


@pytest.mark.parametrize("frame", [b"x\n", b"-1\n", b"99999999999999\n", b"999999999\n", b"\n", b"5" * 100])
def test_broken_frames(stock, frame):
    connection, lines = send(stock, b"", end=False)
    connection.sendall(frame)
    assert answer(lines)["error"]["code"] == "load-abandoned"
    assert lines.read() == b""  # what would follow could not be told from a request
    connection.close()


def test_the_connection_goes_on_behind_a_load(stock):
    connection, lines = send(stock, csv_of([row()]).encode())
    assert answer(lines)["ok"]["loaded"] == 1
    connection.sendall(b'{"verb":"profile-type list","args":{}}\n')
    assert "types" in json.loads(lines.readline())["ok"]
    connection.close()


@pytest.mark.usefixtures("stock")
def test_two_at_a_time(twins):
    apart = [many(3000), many(3000)]
    same = many(3000)
    for texts, outcomes in ((apart, [3000, 3000]), ([same, same], [0, 3000])):
        told = {}

        def run(i, rspd, octets):
            _, lines = send(rspd, octets.encode())
            told[i] = answer(lines)["ok"]

        threads = [threading.Thread(target=run, args=(i, rspd, text)) for i, (rspd, text) in enumerate(zip(twins, texts))]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
        assert sorted(t["loaded"] for t in told.values()) == outcomes


def test_silent_loads_hold_up_nobody(stock):
    """Four have every place, and bring nothing, or a row now and then: the slowest gives way to one that waits."""
    rows = many(1000).splitlines(keepends=True)
    held = [send(stock, rows[0].encode(), end=False) for _ in range(4)]
    wait_for(lambda: len(staged(stock)) == 4, "four loads")
    over = threading.Event()

    def trickle(connection):
        for line in rows[1:]:
            if over.wait(0.2):
                return
            with contextlib.suppress(OSError):
                connection.sendall(b"%d\n%s" % (len(line), line.encode()))

    trickler = threading.Thread(target=trickle, args=(held[0][0],))
    trickler.start()
    try:
        connection, lines = send(stock, csv_of([row()]).encode())
        assert answer(lines)["ok"]["loaded"] == 1
        connection.close()
        ended = [json.loads(h.readline())["error"] for h in first_answers(held)]
        assert [e["code"] for e in ended] == ["load-slow"] and "waited" in ended[0]["message"]
    finally:
        over.set()
        trickler.join()
    for c, _ in held:
        with contextlib.suppress(OSError):
            leave(c)
    wait_for(lambda: not sweep(stock), "their ends")


def first_answers(held):
    """Those of the loads that have been answered."""
    ready, _, _ = select.select([c for c, _ in held], [], [], 10)
    return [lines for c, lines in held if c in ready]


def sweep(rspd):
    rspd.database.rows("select profile_load_sweep()")
    return staged(rspd)


def test_the_end_of_the_daemon_does_not_wait(make_rspd):
    rspd = make_rspd()
    make_type(rspd, "T")
    connection, lines = send(rspd, many(1000).encode(), end=False)
    wait_for(lambda: staged(rspd), "a load that began")
    began = time.monotonic()
    rspd.signal(signal.SIGTERM)
    assert answer(lines)["error"]["code"] == "load-abandoned"
    connection.close()
    rspd.process.wait(60)
    assert time.monotonic() - began < 20
    assert count(rspd) == 0


HOLD_IMSIS = "select pg_advisory_xact_lock(1349674102, (select id::integer from operator where name = 'default'))"
LOADING = "state = 'active' and query ~ 'profile_load_take|copy profile_staging' and pid <> pg_backend_pid()"


def backends(rspd):
    return [pid for (pid,) in rspd.database.rows(
        f"select pid from pg_stat_activity where datname = current_database() and {LOADING}")]


@contextlib.contextmanager
def halted(rspd, phase, octets):
    """A load that stands in this phase until the block ends; the server then goes on with what it was told."""
    with contextlib.closing(rspd.database.postgres.connect(rspd.database.name)) as other, other.cursor() as cursor:
        cursor.execute("begin")
        if phase in ("validation", "commit"):
            cursor.execute(HOLD_IMSIS)
        elif phase == "insertion":
            last = octets.decode().splitlines()[-1].split(",")[0]
            cursor.execute("insert into profile (iccid, type_id, class, load_id, personal)"
                           " select %s, id, 'test', 0, 'x' from profile_type", (last,))
        connection, lines = send(rspd, octets, end=phase != "staging")
        if phase == "staging":
            wait_for(lambda: staged(rspd), "rows that are staged")
        else:
            wait_for(lambda: rspd.database.rows(
                f"select pid from pg_stat_activity where datname = current_database() and {LOADING}"
                " and wait_event_type = 'Lock'"), "the statement that takes them")
        if phase == "commit":
            rspd.signal(signal.SIGSTOP)
            cursor.execute("rollback")
            wait_for(lambda: not backends(rspd) and count(rspd), "the commit")
        yield lines
        cursor.execute("rollback")
    connection.close()


@pytest.mark.parametrize("phase", ["staging", "validation", "insertion", "commit"])
@pytest.mark.parametrize("victim", ["rspd", "backend"])
def test_all_or_nothing_in_every_phase(make_rspd, victim, phase):
    """Staged in part; looked at by the database; half of them inserted; committed and not told of."""
    rspd = make_rspd()
    make_type(rspd, "T")
    octets = many(3000).encode()
    with halted(rspd, phase, octets):
        if victim == "rspd":
            rspd.kill()
        else:
            for pid in backends(rspd):
                os.kill(pid, signal.SIGKILL if phase == "commit" else signal.SIGTERM)
            if phase == "commit":
                rspd.signal(signal.SIGCONT)
    if victim == "rspd":
        rspd.start()
    wait_for(lambda: not backends(rspd), "the end of what the server was told")
    wait_for(lambda: not sweep(rspd), "no rests")
    loaded = count(rspd, "load_id > 0")
    assert loaded in {"staging": (0,), "commit": (3000,)}.get(phase, (0, 3000) if victim == "rspd" else (0,))
    assert rspd.database.value("select coalesce(sum(profiles), 0) from profile_load") == loaded
    _, lines = send(rspd, octets)
    assert answer(lines)["ok"]["refused"] == loaded and count(rspd) == 3000


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("victim", ["rspd", "rspctl", "backend"])
def test_all_or_nothing_whoever_is_killed(make_rspd, victim, delay):
    rspd = make_rspd()
    make_type(rspd, "T")
    path = write(rspd, "many.csv", many(20_000))
    process = subprocess.Popen([BUILD / "rspctl", "-s", rspd.control, "profile", "load", path, "--type", "T"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    if victim == "rspd":
        rspd.kill()
    elif victim == "rspctl":
        process.kill()
    else:
        for (pid,) in rspd.database.rows("select pid from pg_stat_activity where datname = current_database()"
                                         " and pid <> pg_backend_pid() and query ~ 'profile_staging|profile_load_'"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    process.wait(60)
    if victim == "rspd":
        rspd.start()
    # What the server still does for a session that is gone comes to its end first.
    wait_for(lambda: not rspd.database.value("select count(*) from pg_stat_activity where datname = current_database()"
                                             " and query ~ 'profile_load_take' and state = 'active'"
                                             " and pid <> pg_backend_pid()"), "the end")
    wait_for(lambda: not sweep(rspd), "no rests")
    loaded = count(rspd)
    assert loaded in (0, 20_000)
    assert rspd.database.value("select coalesce(sum(profiles), 0) from profile_load") == loaded
    again = rspd.ctl("profile", "load", path, "--type", "T", check=False)
    assert json.loads(again[1])["refused"] == loaded and count(rspd) == 20_000


def test_downloads_go_on_beside_a_load(stock):
    connection, lines = send(stock, many(20_000).encode(), end=False)
    order = stock.desk.order()
    assert order.state == "released"
    connection.sendall(b"0\n")
    assert answer(lines)["ok"]["loaded"] == 20_000
    connection.close()
