"""After trouble: proves from the database and from the cards that nothing was lost, doubled or
invented (RULES 6). Returns what is wrong as sentences; none is the answer that tests want. And of
every database that the tests made: that each recorded event fits its published schema."""

import json
import pathlib

import jsonschema

EVENTS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "events"


def check_events(database):
    """Every event that the tests caused is one that subscribers can rely on."""
    schemas = {}
    for kind, data in database.rows("select type, data from outbox"):
        if kind not in schemas:
            schema = json.loads((EVENTS / f"{kind}.json").read_text())
            jsonschema.Draft7Validator.check_schema(schema)
            schemas[kind] = jsonschema.Draft7Validator(schema)
        schemas[kind].validate(data)


def check(database, cards):
    """`cards` are all cards that ever dealt with the daemons on this database."""
    wrong = []
    installed = {
        iccid: eid
        for iccid, eid in database.rows(
            "select p.iccid, case when o.eid = p.card_eid then o.eid end"
            " from profile p left join download_order o on o.id = p.order_id"
            " where p.state = 'installed'"
        )
    }
    shared = {i for (i,) in database.rows("select iccid from download_order where reusable")}
    on_cards = {}
    for card in cards:
        for iccid in card.profiles.keys() - shared:  # RULES 6, but for laboratories
            if iccid in on_cards:
                wrong.append(f"{iccid} is on two cards")
            on_cards[iccid] = card.eid
    for iccid in sorted(installed.keys() | on_cards.keys()):
        if installed.get(iccid) != on_cards.get(iccid):
            wrong.append(f"{iccid}: installed for {installed.get(iccid)}, on {on_cards.get(iccid)}")

    for iccid, moves, last, state in database.rows(
        "select p.iccid, array_agg(a.from_state || '>' || a.to_state order by a.id),"
        "       (array_agg(a.to_state order by a.id desc))[1], p.state"
        "  from profile p join audit a on a.iccid = p.iccid"
        " where a.from_state is distinct from a.to_state and a.from_state is not null"
        " group by p.iccid"
    ):
        if last != state:
            wrong.append(f"{iccid} is {state}, its last recorded move led to {last}")
        for before, after in zip(moves, moves[1:]):
            if before.split(">")[1] != after.split(">")[0]:
                wrong.append(f"{iccid}: a move is missing between {before} and {after}")

    for key, numbers in database.rows(
        "select order_key, array_agg(seq order by seq) from outbox group by order_key"
    ):
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            wrong.append(f"events of {key} have gaps or doubles: {numbers}")

    for state, kind in (("released", "profile.released"), ("installed", "profile.installed")):
        for iccid, moves, events in database.rows(
            "select m.iccid, m.n, coalesce(e.n, 0) from"
            " (select iccid, count(*) n from audit"
            f"   where to_state = '{state}' and from_state is distinct from to_state group by 1) m"
            " left join (select order_key, count(*) n from outbox"
            f"   where type = '{kind}' group by 1) e on e.order_key = m.iccid"
        ):
            if moves != events:
                wrong.append(f"{iccid}: {moves} moves to {state}, {events} events {kind}")

    for iccid, count in database.rows(
        "select iccid, count(*) from download_order where pending group by 1 having count(*) > 1"
    ):
        wrong.append(f"{iccid} has {count} pending orders")
    for (iccid,) in database.rows(
        "select b.iccid from binding b join profile p using (iccid)"
        " where p.state in ('installed', 'error', 'available')"
    ):
        wrong.append(f"{iccid}: its binding record should be gone")
    return wrong


def check_eim(database, cards):
    """Each package was executed at most once and each counter used at most once (RULES 6); what is believed is
    what the cards are. `cards` are all IoT cards that ever dealt with the daemons on this database."""
    wrong = []
    for eid, used, most, counter in database.rows(
        "select u.eid, array_agg(p.counter order by p.counter) filter (where p.counter is not null),"
        "       max(p.counter), u.counter"
        "  from euicc u left join eim_package p on p.eid = u.eid group by u.eid"
    ):
        if used and len(used) != len(set(used)):
            wrong.append(f"{eid}: a counter was used twice: {used}")
        if most is not None and most > counter:
            wrong.append(f"{eid}: counter {most} was handed out, {counter} is the last one known")
    for eid, out in database.rows(
        "select eid, count(*) from eim_package where state = 'out' group by 1 having count(*) > 1"
    ):
        wrong.append(f"{eid}: {out} packages are out at a time")
    for (eid,) in database.rows(
        "select u.eid from euicc u left join eim_package p on p.id = u.outstanding"
        " where u.outstanding is not null and p.state is distinct from 'out'"
    ):
        wrong.append(f"{eid}: what is outstanding is not out")
    done = {
        (eid, counter)
        for eid, counter in database.rows(
            "select eid, counter from eim_package where kind = 'package' and state = 'done'"
        )
    }
    for card in cards:
        counters = [counter for _, counter in card.executed]
        if len(counters) != len(set(counters)):
            wrong.append(f"{card.eid}: a package was executed twice: {counters}")
        for counter in {c for e, c in done if e == card.eid} - set(counters):
            wrong.append(f"{card.eid}: package {counter} is done and was never executed")
    for eid, believed in database.rows(
        "select eid, enabled from euicc where listed_at is not null and outstanding is null"
    ):
        card = next((c for c in cards if c.eid == eid), None)
        if card and not card.results and card.enabled() != believed:
            wrong.append(f"{eid}: {believed} is believed enabled, {card.enabled()} is")
    for key, numbers in database.rows(
        "select order_key, array_agg(seq order by seq) from outbox where length(order_key) = 32 group by 1"
    ):
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            wrong.append(f"events of {key} have gaps or doubles: {numbers}")
    return wrong


def check_told(database, subscriber, ids):
    """`ids` are the functionCallIdentifiers that a subscriber took, each once, as they came first: they
    are those of the outbox rows that are owed to it, and of each key in the outbox's order (RULES 6)."""
    wrong = []
    owed = database.rows(
        "select o.event_id::text, o.order_key, o.seq, v.state from delivery v"
        " join subscriber s on s.id = v.subscriber_id join outbox o on o.id = v.outbox_id"
        f" where s.name = '{subscriber}' order by o.order_key, o.seq"
    )
    place = {identifier: n for n, identifier in enumerate(ids)}
    if len(place) != len(ids):
        wrong.append("an event was counted twice")
    for identifier in place.keys() - {row[0] for row in owed}:
        wrong.append(f"{identifier} was told and is not in the outbox")
    for identifier, key, seq, state in owed:
        if (state == "delivered") != (identifier in place):
            wrong.append(f"{key} {seq} is {state}, told: {identifier in place}")
    told = [(key, place[i]) for i, key, _, _ in owed if i in place]
    for (key, before), (next_key, after) in zip(told, told[1:]):
        if key == next_key and after < before:
            wrong.append(f"{key}: told out of order")
    for key, pending, count in database.rows(
        "select k.order_key, k.pending, count(v.outbox_id) from delivery_key k"
        " left join delivery v on v.subscriber_id = k.subscriber_id"
        "  and v.order_key = k.order_key and v.state = 'waiting'"
        " group by k.subscriber_id, k.order_key, k.pending"
    ):
        if pending != count:
            wrong.append(f"{key} owes {count} events and says {pending}")
    return wrong
