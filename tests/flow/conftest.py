"""Fixtures: one private PostgreSQL and one set of certificates for the session, a daemon with a
database of its own for each test file, a fresh card for each test. See docs/testing.md."""

import contextlib
import glob
import itertools
import pathlib
import shutil
import tempfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from card import Card, Download
from checker import check_events
from eim_desk import EIM_ID, EimDesk
from harness import BUILD, Postgres, Rspd, Site, scratch_place
from ipa import IotCard
from operator_desk import Desk

eids = itertools.count(1)


def new_eid():
    """A fresh EID of the test EUM. Its check digits do not matter to rspd."""
    return f"89049032{next(eids):024d}"


@pytest.fixture(scope="session")
def scratch():
    """Other users may pass through: PostgreSQL does not run as root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rspd-", dir=scratch_place()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(scratch):
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        pytest.skip("NO POSTGRESQL: install the Debian package postgresql, nothing was tested")
    server = Postgres(scratch / "pg").start()
    yield server
    server.end()


@pytest.fixture(scope="session")
def site(scratch):
    return Site(scratch / "site")


@pytest.fixture(scope="session")
def template(postgres, site, scratch):
    """A database with the current schema; each file's database is a copy of it."""
    assert (BUILD / "rspd").exists(), f"{BUILD}/rspd is not built (RSPD_BUILD names the folder)"
    database = postgres.new_database()
    Rspd(scratch / "template", site, database).once("--migrate")
    return database.name


@pytest.fixture(scope="module")
def databases(postgres, template):
    """Makes databases; they go with the cluster, since dropping one costs a checkpoint."""
    made = []

    def make():
        made.append(postgres.new_database(template))
        return made[-1]

    yield make
    for database in made:
        check_events(database)
        database.close()


folders = itertools.count(1)


@pytest.fixture(scope="module")
def rspd_module(scratch, site, databases):
    """Makes daemons that live as long as the file's tests."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: start_rspd(stack, scratch, site, databases, **settings)


@pytest.fixture
def make_rspd(scratch, site, databases):
    """Makes daemons for one test. database=… shares one with another daemon."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: start_rspd(stack, scratch, site, databases, **settings)


def start_rspd(
    stack, scratch, site, databases, database=None, start=True, own_site=None, **options
):
    folder = scratch / f"d{next(folders)}"
    rspd = Rspd(folder, own_site or site, database or databases(), **options)
    rspd.desk = Desk(rspd)
    stack.callback(rspd.stop)
    return rspd.start() if start else rspd


@pytest.fixture(scope="module")
def rspd(rspd_module):
    return rspd_module()


@pytest.fixture(scope="module")
def twins(rspd, rspd_module):
    """The file's daemon and a second one on its database."""
    return rspd, rspd_module(database=rspd.database)


@pytest.fixture
def order(rspd):
    """Makes released orders at the file's daemon."""
    return rspd.desk.order


@pytest.fixture
def card(site):
    return Card(new_eid(), site.trees["nist"])


@pytest.fixture
def make_card(site):
    """Cards of one curve or of several, in the order in which the card prefers them."""
    return lambda *curves, **settings: Card(
        new_eid(), *(site.trees[c] for c in curves or ("nist",)), **settings
    )


@pytest.fixture
def lpa(rspd, card):
    """A session of the test's card with the file's daemon, nothing sent yet."""
    client = rspd.client()
    yield Download(card, client)
    client.close()


@pytest.fixture
def session(rspd):
    """Makes sessions: session(card, curve=…, address=…)."""

    def make(card, curve="nist", address=None, daemon=None, client=None):
        client = client or (daemon or rspd).client(curve)
        return Download(card, client, address)

    return make


# ---- the eIM ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def eim_key(site):
    """The key that signs packages; its file stands in the site."""
    key = ec.generate_private_key(ec.SECP256R1())
    site.write(
        "eim.key",
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )
    return key


@pytest.fixture(scope="session")
def eim_options(site, eim_key):
    """Options of a daemon that is an eIM, on the listener of LPAs: eim_options(polls_per_minute=…)."""
    return lambda **more: {
        "listener nist": {"esipa": "yes"},
        "eim": {"id": EIM_ID, "key": site.folder / "eim.key", **more},
    }


@pytest.fixture
def desk(rspd):
    """The eIM's administrator at the file's daemon."""
    return EimDesk(rspd.database)


@pytest.fixture
def iot_card(site, eim_key):
    """IoT cards that know our eIM, by this association token."""

    def make(token=None, tree="nist", **more):
        card = IotCard(new_eid(), site.trees[tree], **more)
        return card.associate(EIM_ID, eim_key.public_key(), token)

    return make
