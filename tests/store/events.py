"""How each event of src/profile/moves.def comes about: the call of the statement that makes it, on a profile that
World.at() brought where it stands."""

ADMIN = dict(actor="test", why="")


def order(world, case, event):
    eid = world.eid() if event == "download_order_eid" else None
    order_id = world.db.run("order_prepare", iccid=case.iccid)[0]["order_id"]
    world.db.run("order_create", order_id=order_id, iccid=case.iccid, event=event, eid=eid, **ADMIN)


def confirm(world, case, event):
    world.db.run("order_confirm", iccid=case.iccid, event=event, matching_id=f"M{world.number()}", chosen=True, **ADMIN)


def release(world, case, _):
    world.db.run("order_release", iccid=case.iccid, **ADMIN)


def cancel(world, case, event):
    world.db.run("order_cancel", iccid=case.iccid, event=event, trusted=True, **ADMIN)


def force(world, case, _):
    """What is not Downloaded goes the way that is not forced, so only there is it tried."""
    event = "cancel_order_unavailable" if world.state(case.iccid) == "downloaded" else "force_unavailable"
    world.db.run("order_cancel", iccid=case.iccid, event=event, force=True, trusted=True, **ADMIN)


def reset(world, case, _):
    world.db.run("order_reset", iccid=case.iccid, **ADMIN)


def expire(world, case, _):
    world.db.rows("update download_order set expires_at = now() where id = %s", case.order_id)
    world.db.run("order_expire", most=1, session_seconds=0)


def refuse(world, case, event):
    given = world.session_of(case.order_id, case.eid, refusal="NOT_ELIGIBLE", event=event)
    world.db.run("session_record", **given)


def refuse_reusable(world, case, _):
    refuse(world, case, "fail_eligibility")


def guess(world, case, _):
    world.db.run("session_check_code", transaction_id=case.tx, hash_cc=b"wrong", nonce=b"n" * 32, forgiven=0,
                 request_sha256=b"r" * 32)


def end_session(world, case, event):
    world.db.run("session_cancel", transaction_id=case.tx, event=event, error="CANCELLED", why="")


def bind(world, case, _):
    world.db.run("package_record", **world.binding_of(case.tx))


def result(world, case, event):
    world.db.run("notification_record_result", **world.result_of(case.tx, event))


def succeed(world, case, _):
    world.db.run("notification_record_result", **world.result_of(case.tx))


def delete(world, case, _):
    world.db.run("notification_record", **world.report_of(case.eid, case.iccid, 20, "delete"))
    world.db.run("notification_apply", eid=case.eid, iccid=case.iccid)


# event: its call, and whom the audit trail names
CALLS = {
    "download_order": (order, "test"),
    "download_order_eid": (order, "test"),
    "confirm_order": (confirm, "test"),
    "confirm_order_release": (confirm, "test"),
    "release_profile": (release, "test"),
    "bind": (bind, "es9+:GetBoundProfilePackage"),
    "bind_reusable": (bind, "es9+:GetBoundProfilePackage"),
    "install_reusable": (succeed, "es9+:HandleNotification"),
    "fail_reusable": (refuse_reusable, "es9+:AuthenticateClient"),
    "fail_eligibility": (refuse, "es9+:AuthenticateClient"),
    "exceed_attempts": (refuse, "es9+:AuthenticateClient"),
    "exceed_confirmation_code": (guess, "es9+:GetBoundProfilePackage"),
    "postpone": (end_session, "es9+:CancelSession"),
    "reject": (end_session, "es9+:CancelSession"),
    "install": (result, "es9+:HandleNotification"),
    "fail_install_retry": (result, "es9+:HandleNotification"),
    "fail_install": (result, "es9+:HandleNotification"),
    "cancel_order_available": (cancel, "test"),
    "cancel_order_unavailable": (cancel, "test"),
    "force_unavailable": (force, "test"),
    "expire": (expire, "rspd"),
    "reset": (reset, "test"),
    "reissue": (delete, "es9+:HandleNotification"),
    "restock": (delete, "es9+:HandleNotification"),
}


def prepare(world, origin, event):
    """A profile in that state, of a type whose deletion makes this event, with an order of its kind."""
    case = world.at(origin, {"reissue": "reissue", "restock": "available"}.get(event, "keep"))
    if event.endswith("_reusable"):
        world.db.rows("update download_order set reusable = true where id = %s", case.order_id)
    return case
