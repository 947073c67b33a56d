"""The GSMA's own test profiles (TS.48) from file to card, where they are at hand."""

import pytest

from harness import REPOSITORY

FOLDER = REPOSITORY.parent / "shared" / "spec" / "ts48"
FILES = sorted(FOLDER.glob("*.der"))


@pytest.mark.skipif(not FILES, reason="no TS.48 profiles beside the repository")
@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_a_gsma_profile_from_file_to_card(rspd, session, make_card, path):
    _, iccid = rspd.desk.write_profile()
    answer = rspd.desk.offer(path, iccid=iccid)
    assert "ok" in answer, answer
    o = rspd.desk.order(iccid=iccid)
    lpa = session(make_card()).run(o.matching_id)
    assert o.state == "installed"
    assert len(lpa.package.upp) == path.stat().st_size
    assert lpa.metadata.get(0x95).value == b"\x00"  # they carry the published test K
