"""ES9+.HandleNotification (SGP.22 §5.6.4, §3.1.3.3, §3.5; RULES 2 and 3): installation results,
what happens on the card later, and everything that must be acknowledged without being believed."""

import itertools

import pytest

import der
from card import EVENT, Identity, party_oid
from harness import NAMES, wait_for
from rspcrypto import signature_tlv

ADDRESS = NAMES["nist"]
serial = itertools.count(1)


def acknowledged(answer):
    assert (answer.status, answer.octets) == (204, b""), answer


@pytest.fixture
def downloaded(session, card, order):
    """A session whose package is with the card."""

    def make(**settings):
        o = order(**settings)
        lpa = session(card).until_package(o.matching_id)
        lpa.order = o
        return lpa

    return make


@pytest.fixture
def installed(downloaded):
    def make(**settings):
        lpa = downloaded(**settings)
        lpa.result_octets = lpa.install()
        acknowledged(lpa.notify(lpa.result_octets))
        assert lpa.order.state == "installed"
        return lpa

    return make


# ---- installation results ------------------------------------------------------------------------


def test_success_means_installed_and_a_repeat_changes_nothing(rspd, installed):
    lpa = installed()
    before = rspd.database.fingerprint()
    for _ in range(3):
        acknowledged(lpa.notify(lpa.result_octets))
    assert rspd.database.fingerprint() == before


def test_the_record_of_the_binding_is_erased_on_installation(rspd, downloaded):
    lpa = downloaded()
    count = f"select count(*) from binding where iccid = '{lpa.iccid}'"
    assert rspd.database.value(count) == 1
    acknowledged(lpa.notify(lpa.install()))
    assert rspd.database.value(count) == 0


PASSING = ["interruption", "insufficientMemory", "unknown"]
PASSING += ["invalidSignature", "invalidTransactionId"]


@pytest.mark.parametrize("error", PASSING)
def test_a_failure_that_may_pass_leaves_the_order_released_for_this_card(
    session, downloaded, make_card, error
):
    lpa = downloaded()
    acknowledged(lpa.notify(lpa.result(error)))
    assert lpa.order.state == "released"
    assert lpa.order.show()["eid"] == lpa.card.eid
    stranger = session(make_card())
    stranger.initiate().must()
    stranger.authenticate(lpa.order.matching_id).refused("8.1.1", "3.8")
    session(lpa.card).run(lpa.order.matching_id)
    assert lpa.order.state == "installed"


@pytest.mark.parametrize(
    "error",
    [
        "incorrectInputValues",
        "scp03tSecurityError",
        "iccidAlreadyExists",
        "peProcessingError",
        "dataMismatch",
        "invalidNaaKey",
        "pprNotAllowed",
    ],
)
def test_a_failure_that_will_not_pass_means_error(downloaded, error):
    lpa = downloaded()
    acknowledged(lpa.notify(lpa.result(error)))
    assert lpa.order.state == "error"


def test_a_failure_that_may_pass_ends_the_order_with_its_last_attempt(
    rspd, make_rspd, session, make_card
):
    daemon = make_rspd(database=rspd.database, dp={"download_attempts": 2})
    o, card = daemon.desk.order(), make_card()
    for state in ("released", "error"):
        lpa = session(card, daemon=daemon).until_package(o.matching_id)
        acknowledged(lpa.notify(lpa.result("interruption")))
        assert o.state == state


def test_a_failure_shows_that_the_profile_is_not_on_the_card(downloaded):
    lpa = downloaded()
    acknowledged(lpa.notify(lpa.result("peProcessingError")))
    assert "ok" in lpa.order.cancel("available")


def test_an_iccid_that_exists_already_does_not(downloaded):
    """It may be this very profile, installed by an earlier session: no stock for another card."""
    lpa = downloaded()
    acknowledged(lpa.notify(lpa.result("iccidAlreadyExists")))
    assert "ok" not in lpa.order.cancel("available")
    assert lpa.order.state == "error"
    assert "ok" in lpa.order.cancel("unavailable")


def test_a_failure_counts_once_however_often_it_is_told(rspd, downloaded):
    lpa = downloaded()
    octets = lpa.result("interruption")
    acknowledged(lpa.notify(octets))
    before = rspd.database.fingerprint()
    acknowledged(lpa.notify(octets))
    assert rspd.database.fingerprint() == before


def test_a_failure_after_success_does_not_take_the_profile_back(installed):
    lpa = installed()
    acknowledged(lpa.notify(lpa.result("peProcessingError")))
    assert lpa.order.state == "installed"


@pytest.mark.parametrize("error", ["interruption", "peProcessingError"])
def test_a_success_after_the_failure_of_its_own_session_wins(downloaded, error):
    lpa = downloaded()
    acknowledged(lpa.notify(lpa.result(error)))
    assert lpa.order.state != "installed"
    acknowledged(lpa.notify(lpa.install()))
    assert lpa.order.state == "installed"


def test_any_other_second_result_changes_nothing(rspd, downloaded, installed):
    failed = downloaded()
    acknowledged(failed.notify(failed.result("interruption")))
    unbelieved(rspd, failed, failed.result("peProcessingError"), "released")
    done = installed()
    for error in (None, "interruption", "peProcessingError"):
        unbelieved(rspd, done, done.result(error), "installed")


def test_a_failure_of_an_old_session_does_not_spoil_the_new_one(session, downloaded):
    old = downloaded()
    new = session(old.card).until_package(old.order.matching_id)
    acknowledged(new.notify(new.install()))
    acknowledged(old.notify(old.result("peProcessingError")))
    assert old.order.state == "installed"


def test_a_result_of_an_older_session_still_counts(session, downloaded):
    """Success of the first session, told when a second one has begun."""
    old = downloaded()
    octets = old.install()
    session(old.card).until_authenticated(old.order.matching_id)
    acknowledged(old.notify(octets))
    assert old.order.state == "installed"


def test_a_result_may_come_by_another_connection_and_listener(rspd, downloaded):
    lpa = downloaded()
    octets = lpa.install()
    lpa.client.close()
    lpa.client = rspd.client("brainpool", per_call=True)
    acknowledged(lpa.notify(octets))
    assert lpa.order.state == "installed"


# ---- what is acknowledged but not believed -------------------------------------------------------


def unbelieved(rspd, lpa, octets, state="downloaded"):
    """204, a line in the log, and the database as it was."""
    before = rspd.database.fingerprint()
    with rspd.log_lines() as lines:
        acknowledged(lpa.notify(octets))
    assert lines
    assert rspd.database.fingerprint() == before
    assert lpa.order.state == state


def test_a_result_with_a_wrong_signature(rspd, downloaded, make_card):
    lpa = downloaded()
    with rspd.log_lines() as lines:
        unbelieved(rspd, lpa, lpa.result(key=make_card().identities[0].key))
    (line,) = [x for x in lines if "function=HandleNotification" in x]
    assert " result=ignored " in line and "note=wrong-signature" in line
    assert " result=ok " not in line


@pytest.mark.parametrize("oid", ["2.999.11", "2.999.10.1", "2.999"])
def test_a_result_for_another_smdp(rspd, downloaded, oid):
    lpa = downloaded()
    unbelieved(rspd, lpa, lpa.result(oid=oid))


def test_a_result_of_an_unknown_transaction(rspd, downloaded):
    lpa = downloaded()
    forged = lpa.transaction[:13] + bytes([lpa.transaction[13] ^ 1]) + lpa.transaction[14:]
    for transaction in (forged, b"", b"\x01" * 17):
        unbelieved(rspd, lpa, lpa.result(transaction=transaction))


def test_a_result_of_an_unknown_cluster_key_is_not_acknowledged(rspd, downloaded):
    """It can be judged when the key is back; an LPA deletes what was acknowledged."""
    lpa = downloaded()
    count = "notification_key_unknown"
    before = rspd.ask("stats")["counters"][count]
    other = bytes([lpa.transaction[0] ^ 1]) + lpa.transaction[1:]
    assert lpa.notify(lpa.result(transaction=other)).status == 503
    assert rspd.ask("stats")["counters"][count] == before + 1
    assert lpa.order.state == "downloaded"
    acknowledged(lpa.notify(lpa.install()))
    assert lpa.order.state == "installed"


def test_a_result_for_the_transaction_of_another_card(rspd, downloaded, session, make_card, order):
    lpa = downloaded()
    other = session(make_card()).until_package(order().matching_id)
    unbelieved(rspd, lpa, lpa.result(transaction=other.transaction))


def only_authenticated(lpa, o):
    lpa.until_authenticated(o.matching_id)


def code_was_wrong(lpa, o):
    lpa.until_authenticated(o.matching_id)
    lpa.get_package("0000").refused("8.2.7", "3.8")


def was_cancelled(lpa, o):
    lpa.until_authenticated(o.matching_id)
    lpa.cancel("postponed").must()


def was_refused(lpa, o):
    lpa.card.forbidden_rules = (1,)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.2.5", "4.3")


@pytest.mark.parametrize("error", [None, "interruption", "peProcessingError"])
@pytest.mark.parametrize(
    "way", [only_authenticated, code_was_wrong, was_cancelled, was_refused], ids=lambda w: w.__name__
)
def test_a_result_of_a_session_without_package(rspd, session, card, way, error):
    """Nobody installs what was never handed out, not even who could not tell the code."""
    rules = {"ppr1": True, "owner": "00101"} if way is was_refused else {}
    o = rspd.desk.order(iccid=rspd.desk.load(rules), cc="12345678")
    lpa = session(card)
    way(lpa, o)
    lpa.order, lpa.iccid = o, o.iccid
    octets = lpa.result(error, oid=party_oid(lpa.auth_cert))
    unbelieved(rspd, lpa, octets, o.state)


def test_a_result_whose_octets_were_changed(rspd, downloaded):
    lpa = downloaded()
    right = lpa.result()
    for at in (12, len(right) // 2, len(right) - 1):
        wrong = bytearray(right)
        wrong[at] ^= 1
        unbelieved(rspd, lpa, bytes(wrong))
    acknowledged(lpa.notify(right))
    assert lpa.order.state == "installed"


JUNK = [b"", b"\x00", b"\xbf\x37\x84\xff\xff\xff\xff"]
JUNK += [der.tlv(tag) for tag in (0xBF37, 0x30, 0xBF21)]


@pytest.mark.parametrize("octets", JUNK, ids=lambda o: o.hex() or "nothing")
def test_what_cannot_be_decoded(rspd, lpa, octets):
    before = rspd.database.fingerprint()
    with rspd.log_lines() as lines:
        acknowledged(lpa.notify(octets))
    assert lines
    assert rspd.database.fingerprint() == before


# ---- later on the card ---------------------------------------------------------------------------


def tell(lpa, event, sequence=None, card=None):
    octets = (card or lpa.card).notification(event, lpa.iccid, ADDRESS, sequence=sequence)
    acknowledged(lpa.notify(octets))
    return octets


def on_card(rspd, lpa):
    return rspd.database.value(f"select card_state from profile where iccid = '{lpa.iccid}'")


def test_enable_and_disable_are_seen(rspd, installed):
    lpa = installed()
    for event in ("enable", "disable", "enable"):
        tell(lpa, event)
        assert on_card(rspd, lpa) == f"{event}d"
    assert lpa.order.state == "installed"


def test_sequence_numbers_decide_not_the_order_of_arrival(rspd, installed):
    lpa = installed()
    base = lpa.card.sequence
    tell(lpa, "disable", base + 3)
    tell(lpa, "enable", base + 2)
    assert on_card(rspd, lpa) == "disabled"
    tell(lpa, "enable", base + 4)
    assert on_card(rspd, lpa) == "enabled"


def test_the_same_notification_again_changes_nothing(rspd, installed):
    lpa = installed()
    octets = tell(lpa, "enable")
    before = rspd.database.fingerprint()
    for _ in range(3):
        acknowledged(lpa.notify(octets))
    assert rspd.database.fingerprint() == before


def test_a_card_that_does_not_hold_the_profile_is_not_believed(rspd, installed, make_card):
    lpa = installed()
    tell(lpa, "enable")
    other = make_card()
    other.sequence = 100
    tell(lpa, "delete", card=other)
    assert on_card(rspd, lpa) == "enabled"
    assert lpa.order.state == "installed"


def test_a_wrong_chain_or_signature_is_not_believed(rspd, installed, make_card, site):
    lpa = installed()
    tell(lpa, "enable")
    tree = site.trees["nist"]
    right, stranger = lpa.identity, make_card().identities[0]
    wrong = [
        Identity(tree, tree.make_euicc(lpa.card.eid, not_after=right.eum.cert.not_valid_before)),
        Identity(tree, tree.make_euicc(lpa.card.eid), tree.make_eum()),
        Identity(tree, tree.make_euicc(lpa.card.eid, tree.ci), tree.ci),
    ]
    thief = Identity(tree, right.euicc)
    thief.key = stranger.key
    before = rspd.database.fingerprint()
    for identity in [*wrong, thief]:
        octets = lpa.card.notification("delete", lpa.iccid, ADDRESS, identity)
        with rspd.log_lines() as lines:
            acknowledged(lpa.notify(octets))
        assert lines
    assert rspd.database.fingerprint() == before


def test_a_notification_of_a_profile_we_do_not_know(rspd, lpa, card):
    acknowledged(lpa.notify(card.notification("enable", "8944000000000000007", ADDRESS)))
    assert rspd.database.value("select count(*) from profile where iccid like '89440000000%'") == 0


def kept(rspd):
    return rspd.database.value("select count(*) from notification")


def test_what_this_card_never_had_to_do_with_is_not_kept(rspd, installed, make_card, order):
    lpa = installed()
    unsold = order().iccid
    before = kept(rspd)
    for iccid in ("8944000000000000007", unsold):
        acknowledged(lpa.notify(lpa.card.notification("enable", iccid, ADDRESS)))
    stranger = make_card().notification("enable", lpa.iccid, ADDRESS)
    acknowledged(lpa.notify(stranger))
    assert kept(rspd) == before
    tell(lpa, "enable")
    assert kept(rspd) == before + 1


def test_what_is_longer_than_a_notification_can_be_is_not_kept(rspd, installed):
    lpa = installed()
    before = kept(rspd)
    for length, more in ((9000, 0), (5000, 1)):
        octets = lpa.card.notification("enable", lpa.iccid, "a" * length)
        assert (len(octets) > 8192) == (more == 0)
        acknowledged(lpa.notify(octets))
        assert kept(rspd) == before + more


NO_TEXT = [b"smdp\0.example.org", b"\0", b"\xff\xfe", b"\xc3\x28"]


@pytest.mark.parametrize("address", NO_TEXT)
def test_an_address_that_is_no_text_spoils_no_notification(rspd, downloaded, address):
    lpa = downloaded()
    lpa.install()
    acknowledged(lpa.notify(lpa.result(notify=address)))
    assert lpa.order.state == "installed"
    acknowledged(lpa.notify(lpa.card.notification("enable", lpa.iccid, address)))
    assert on_card(rspd, lpa) == "enabled"


def test_several_event_bits_are_no_notification(rspd, installed):
    lpa = installed()
    tell(lpa, "enable")
    data = der.tlv(
        0xBF2F,
        der.integer(99, 0x80),
        der.named_bits(EVENT["disable"], EVENT["delete"], tag=0x81),
        der.text(ADDRESS),
        der.read(lpa.card.notification("delete", lpa.iccid, ADDRESS)).get(0xBF2F, 0x5A).octets,
    )
    identity = lpa.identity
    octets = der.tlv(
        0x30, data, signature_tlv(identity.key, data), identity.euicc.der, identity.eum.der
    )
    acknowledged(lpa.notify(octets))
    assert on_card(rspd, lpa) == "enabled"


# ---- delete, by profile type (RULES 2) -----------------------------------------------------------


@pytest.fixture
def of_type(rspd, session, card):
    """An installed profile of a type that says what a delete means."""

    def make(on_delete, twice=False):
        name = f"on-delete-{on_delete}-{next(serial)}"
        rspd.desk.make_type(name, onDelete=on_delete)
        o = rspd.desk.order(iccid=rspd.desk.load({"type": name}))
        other = session(card).until_package(o.matching_id) if twice else None
        lpa = session(card).run(o.matching_id)
        lpa.other = other
        lpa.order = o
        return lpa

    return make


def test_delete_keep(rspd, of_type):
    lpa = of_type("keep")
    tell(lpa, "delete")
    assert on_card(rspd, lpa) == "deleted"
    assert lpa.order.state == "installed"


def test_delete_reissue_to_the_same_card_with_new_keys(rspd, of_type, session, make_card):
    lpa = of_type("reissue")
    tell(lpa, "delete")
    del lpa.card.profiles[lpa.iccid]
    stranger = session(make_card())
    stranger.initiate().must()
    assert stranger.authenticate(lpa.order.matching_id).refusal
    again = session(lpa.card).run(lpa.order.matching_id)
    assert again.iccid == lpa.iccid
    assert again.package.dp_point != lpa.package.dp_point


def test_delete_reissue_though_the_orders_lifetime_is_over(rspd, of_type, session):
    lpa = of_type("reissue")
    rspd.database.rows(
        "update download_order set expires_at = now() - interval '1 day'"
        f" where iccid = '{lpa.iccid}'"
    )
    tell(lpa, "delete")
    del lpa.card.profiles[lpa.iccid]
    session(lpa.card).run(lpa.order.matching_id)
    assert lpa.order.state == "installed"


def test_who_held_a_profile_before_it_was_stock_again_has_no_say(
    rspd, of_type, session, make_card
):
    """The card has a second package in its drawer when it deletes the profile; a success of that
    one takes back neither the stock nor what another card installed."""
    lpa = of_type("available", twice=True)
    tell(lpa, "delete")
    lpa.order = None
    for _ in ("in stock", "sold"):
        before = rspd.database.fingerprint()
        acknowledged(lpa.notify(lpa.other.result()))
        assert rspd.database.fingerprint() == before
        if lpa.order is None:
            lpa.order = rspd.desk.order(iccid=lpa.iccid)
            session(make_card()).run(lpa.order.matching_id)
    assert lpa.order.state == "installed"


def test_delete_available_is_stock_again(rspd, of_type, session, make_card):
    lpa = of_type("available")
    tell(lpa, "delete")
    assert lpa.order.show()["state"] == "available"
    o = rspd.desk.order(iccid=lpa.iccid)
    assert session(make_card()).run(o.matching_id).iccid == lpa.iccid


def test_a_delete_that_is_not_after_the_installation_is_ignored(rspd, of_type):
    lpa = of_type("available")
    tell(lpa, "delete", sequence=lpa.card.sequence)
    tell(lpa, "delete", sequence=0)
    assert lpa.order.state == "installed"


def test_a_delete_before_the_installation_result_is_applied_with_it(rspd, session, card):
    name = "early-delete"
    rspd.desk.make_type(name, onDelete="available")
    o = rspd.desk.order(iccid=rspd.desk.load({"type": name}))
    lpa = session(card).until_package(o.matching_id)
    lpa.order = o
    result = lpa.install()
    tell(lpa, "delete")
    assert o.state == "downloaded"
    acknowledged(lpa.notify(result))
    assert o.show()["state"] == "available"


# ---- when it cannot be stored --------------------------------------------------------------------


def test_what_cannot_be_stored_is_not_acknowledged(make_rspd, session, make_card):
    """The LPA deletes what was acknowledged, so 503 it is (RULES 3)."""
    daemon = make_rspd()
    o = daemon.desk.order()
    lpa = session(make_card(), daemon=daemon).until_package(o.matching_id)
    octets = lpa.install()
    name = daemon.database.name
    daemon.database.postgres.run(f"alter database {name} allow_connections false")
    daemon.database.postgres.run(
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    )
    try:
        answer = lpa.notify(octets)
        assert answer.status == 503, answer
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        daemon.database.postgres.run(f"alter database {name} allow_connections true")
    wait_for(lambda: lpa.notify(octets).status == 204, "the service to come back")
    assert o.state == "installed"


# ---- malformed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"pendingNotification": 5}, {"pendingNotification": "####"}])
def test_a_body_without_a_notification(rspd, lpa, body):
    before = rspd.database.fingerprint()
    acknowledged(lpa.client.call("handleNotification", body))
    assert rspd.database.fingerprint() == before
