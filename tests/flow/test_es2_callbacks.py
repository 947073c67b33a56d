"""HandleDownloadProgressInfo at an operator's server: every notification point with its codes, in order
per profile, once per fact."""

import pytest

from card import Download
from receiver import Operator

OUTBOX = {"call_seconds": 2, "lease_seconds": 4}


@pytest.fixture(scope="module")
def settings(site):
    pair = {"certificate": site.folder / "nist-tls.pem", "key": site.folder / "nist-tls.key"}
    return {"outbox": OUTBOX, "client main": pair}


@pytest.fixture(scope="module")
def rspd(rspd_module, settings):
    return rspd_module(dp={"download_attempts": 3, "confirmation_code_attempts": 1}, **settings)


@pytest.fixture(scope="module")
def operator(rspd, site, scratch):
    server = Operator(rspd.folder, "operator", site).start()
    rspd.ask("operator callback", name="default", url=server.url, certificate="main")
    yield server
    server.stop()


def download(rspd, card):
    return Download(card, rspd.client())


def test_a_download_is_told_point_by_point(rspd, operator, order, card):
    o = order()
    download(rspd, card).run(o.matching_id)
    calls = operator.waits_for(o.iccid, 3)
    assert operator.points(o.iccid) == [(1, "Executed-Success"), (3, "Executed-Success"),
                                        (4, "Executed-Success")]
    ids = [str(i) for (i,) in rspd.database.rows(
        f"select event_id from outbox where order_key = '{o.iccid}' and type = 'es2.progress'"
        " order by seq")]
    assert [c["header"]["functionCallIdentifier"] for c in calls] == ids
    assert {c["eid"] for c in calls} == {card.eid}
    assert all(c["profileType"] for c in calls)
    assert "resultData" in calls[2]
