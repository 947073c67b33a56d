"""What operators hand out and look at: activation codes in bulk, links for phones, filtered lists, CSV."""

import csv
import io
import json
import subprocess
import urllib.parse
import zipfile

import jsonschema
import pytest

from card import Card, Download
from conftest import new_eid
from harness import BUILD, REPOSITORY, wait_for

PNG = b"\x89PNG\r\n\x1a\n"


def fits(verb, answer):
    schema = json.loads((REPOSITORY / f"schemas/ctl/{verb}.json").read_text())
    jsonschema.validate(answer, schema["properties"]["ok"])
    return answer


def rspctl(rspd, *words, **settings):
    """What it prints for people."""
    run = subprocess.run(
        [BUILD / "rspctl", "-s", rspd.control, *map(str, words)],
        capture_output=True,
        timeout=60,
        **settings,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.decode()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def batch(rspd):
    """Seven orders of one type, one with a Confirmation Code, one not confirmed."""
    rspd.desk.make_type("batch")
    iccids = [rspd.desk.load(args={"type": "batch"}) for _ in range(8)]
    orders = [rspd.desk.order(iccid=i) for i in iccids[:6]]
    orders.append(rspd.desk.order(iccid=iccids[6], cc="1234", release=False))
    rspd.desk.order(iccid=iccids[7], confirm=False)
    return orders


# ---- links ---------------------------------------------------------------------------------------


def test_a_code_comes_as_links_for_phones(rspd):
    order = rspd.desk.order(matching_id="A&B=C+D%E#F")
    shown = fits("order-code", rspd.ask("order code", iccid=order.iccid))
    for member, beginning in (
        ("iosLink", "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata="),
        ("androidLink", "https://esimsetup.android.com/esim_qrcode_provisioning?carddata="),
    ):
        link = shown[member]
        assert link.startswith(beginning + "LPA:1$")
        query = urllib.parse.parse_qs(urllib.parse.urlparse(link).query, strict_parsing=True)
        assert query == {"carddata": [shown["qr"]]}
    assert shown["iosLink"] in rspctl(rspd, "order", "code", order.iccid)


def test_an_order_without_a_code_says_why(rspd):
    iccid = rspd.desk.load()
    assert rspd.ask_any("order code", iccid=iccid)["error"]["code"] == "no-code"
    order = rspd.desk.order()
    order.cancel("unavailable")
    assert rspd.ask_any("order code", iccid=order.iccid)["error"]["code"] == "code-over"


def test_links_begin_as_configured(make_rspd):
    daemon = make_rspd(dp={"ios_link": "https://example.org/i/"})
    order = daemon.desk.order()
    shown = daemon.ask("order code", iccid=order.iccid)
    assert shown["iosLink"] == "https://example.org/i/" + shown["qr"]


# ---- batches -------------------------------------------------------------------------------------


def test_a_batch_as_csv_folder_and_zip(rspd, batch, tmp_path):
    target, folder, archive = tmp_path / "codes.csv", tmp_path / "codes", tmp_path / "codes.zip"
    said = rspctl(
        rspd, "order", "codes", "--type", "batch", "--csv", target, "--dir", folder, "--zip", archive
    )
    assert "7 codes" in said
    rows = rows_of(target.read_bytes().decode())
    assert {r["iccid"] for r in rows} == {o.iccid for o in batch}
    for row in rows:
        shown = rspd.ask("order code", iccid=row["iccid"])
        assert (row["code"], row["qr"]) == (shown["code"], shown["qr"])
        assert (row["ios_link"], row["android_link"]) == (shown["iosLink"], shown["androidLink"])
        assert (row["type"], row["state"]) == ("batch", shown["state"])
        assert (row["confirmation_code"] == "yes") == row["code"].endswith("$$1")
    names = {f"{o.iccid}.png" for o in batch}
    assert {p.name for p in folder.iterdir()} == names
    with zipfile.ZipFile(archive) as z:
        assert z.testzip() is None and set(z.namelist()) == names
        for name in names:
            picture = (folder / name).read_bytes()
            assert picture.startswith(PNG) and z.read(name) == picture
    for path in (target, archive, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_batch_goes_by_type_state_and_named_profiles(rspd, batch, tmp_path):
    def codes(*words, **settings):
        printed = rspctl(rspd, "order", "codes", "--csv", "-", *words, **settings)
        return {r["iccid"] for r in rows_of(printed)}

    every = {o.iccid for o in batch}
    assert codes("--type", "batch", "--state", "released") == {o.iccid for o in batch[:6]}
    assert codes("--type", "batch", "--state", "confirmed") == {batch[6].iccid}
    assert codes("--type", "nothing") == set()
    assert every <= codes()
    named = f"iccid\n{batch[0].iccid}\r\n{batch[1].iccid},more\n\n8900000000000000000\n".encode()
    assert codes("--iccids", "-", input=named) == {o.iccid for o in batch[:2]}
    path = tmp_path / "iccids"
    path.write_text("".join(f"{o.iccid}\n" for o in batch))
    assert codes("--iccids", path) == every
    assert codes("--iccids", path, "--state", "confirmed") == {batch[6].iccid}


def test_profiles_without_a_code_are_counted(rspd, batch):
    run = subprocess.run(
        [BUILD / "rspctl", "-s", rspd.control, "order", "codes", "--iccids", "-"],
        input=f"{batch[0].iccid}\n8900000000000000000\n".encode(),
        capture_output=True,
        timeout=60,
    )
    assert run.returncode == 0 and b"1 of the profiles named have no code" in run.stderr


def test_a_batch_of_more_than_a_page_comes_whole(rspd, batch):
    answer = fits("order-codes", rspd.ask("order codes", type="batch", limit=3))
    seen = [c["iccid"] for c in answer["codes"]]
    while "next" in answer:
        answer = fits("order-codes", rspd.ask("order codes", type="batch", limit=3, before=answer["next"]))
        seen += [c["iccid"] for c in answer["codes"]]
    assert sorted(seen) == sorted(o.iccid for o in batch)


def test_pictures_as_svg(rspd, batch, tmp_path):
    rspctl(rspd, "order", "codes", "--type", "batch", "--dir", tmp_path / "svg", "--svg")
    for path in (tmp_path / "svg").iterdir():
        assert path.suffix == ".svg" and "<svg" in path.read_text()


def test_what_cannot_be_written_is_said(rspd, batch):
    code, _, said = rspd.ctl("order", "codes", "--csv", "/nowhere/x.csv", check=False)
    assert code == 73 and "/nowhere/x.csv" in said


# ---- lists ---------------------------------------------------------------------------------------


def test_orders_are_filtered_by_time_and_error(rspd, batch):
    failed = rspd.desk.order()
    lpa = Download(Card(new_eid(), rspd.site.trees["nist"]), rspd.client()).until_authenticated(
        failed.matching_id
    )
    lpa.cancel("endUserRejection").must()
    wait_for(lambda: failed.state == "error", "the end")

    def listed(**args):
        answer = fits("order-list", rspd.ask("order list", limit=1000, **args))
        return {o["iccid"] for o in answer["orders"]}

    error = failed.show()["error"]
    assert listed(error=error) >= {failed.iccid} and not listed(error=error) & {batch[0].iccid}
    assert failed.iccid in listed(error="any") and listed(error="NOTHING") == set()
    assert listed(since="2020-01-01", until="2090-01-01") >= {batch[0].iccid}
    assert listed(since="2090-01-01") == listed(until="2020-01-01T00:00:00Z") == set()
    wrong = rspd.ask_any("order list", since="yesterday")["error"]
    assert wrong["code"] == "arguments" and "2026-11-22" in wrong["message"] + wrong["advice"]


def test_orders_as_csv_and_all_of_them(rspd, batch):
    rows = rows_of(rspctl(rspd, "order", "list", "--csv", "--all", "--limit", "2", "--type", "batch"))
    assert len(rows) == 8 and {o.iccid for o in batch} < {r["iccid"] for r in rows}
    assert [int(r["order"]) for r in rows] == sorted((int(r["order"]) for r in rows), reverse=True)
    by_iccid = {r["iccid"]: r for r in rows}
    assert by_iccid[batch[0].iccid]["matching_id"] == batch[0].matching_id
    page = rspd.ctl("order", "list", "--type", "batch", "--limit", "2")["orders"]
    assert len(page) == 2
    every = rspd.ctl("order", "list", "--type", "batch", "--limit", "3", "--all")["orders"]
    assert len(every) == 8


def test_no_cell_of_csv_is_a_formula(rspd):
    name = '=HYPERLINK("http://example.org"),x'
    rspd.desk.make_type(name)
    rspd.desk.order(iccid=rspd.desk.load(args={"type": name}))
    (row,) = rows_of(rspctl(rspd, "order", "list", "--csv", "--type", name))
    assert row["type"] == "'" + name
