"""Fixtures: one private PostgreSQL for the session, a database for each test file, connections to it."""

import pathlib
import shutil
import tempfile

import pytest

from database import Cluster, Connection
from world import World


@pytest.fixture(scope="session")
def cluster():
    """Its folder has a short path that other users may pass through: PostgreSQL does not run as root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rspd-sql-", dir="/tmp"))
    folder.chmod(0o711)
    made = Cluster(folder / "pg")
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def connect(cluster):
    """Makes connections to the file's database."""
    made = []
    name = cluster.new()

    def make():
        made.append(Connection(cluster.folder, name))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture(scope="module")
def world(connect):
    return World(connect())
