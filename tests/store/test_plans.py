"""What a download's statements cost beside their work: nothing in them is planned each time anew."""

import re

import pytest

from database import STATEMENTS

OF_A_DOWNLOAD = ["session_admit", "session_record", "package_find", "package_record", "session_find",
                 "notification_record_result"]


@pytest.fixture(scope="module")
def planned_each_time(world):
    """Functions in SQL that ask a table: no statement takes them in, so each parses and plans them itself."""
    return {row["proname"] for row in world.db.rows(
        "select p.proname from pg_proc p join pg_language l on l.oid = p.prolang"
        " where l.lanname = 'sql' and p.pronamespace = 'public'::regnamespace"
        " and p.prosrc ~* '\\mselect\\M.*\\mfrom\\M.*\\m(where|join)\\M'")}


def test_there_are_such_functions(planned_each_time):
    assert "profile_stock" in planned_each_time


@pytest.mark.parametrize("name", OF_A_DOWNLOAD)
def test_a_download_calls_none_of_them(planned_each_time, name):
    called = set(re.findall(r"\b(\w+)\(", STATEMENTS[name].text))
    assert not called & planned_each_time
