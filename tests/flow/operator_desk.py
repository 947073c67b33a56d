"""The operator: keeps a stock of profiles in rspd and makes orders over the control socket."""

import base64
import itertools

import upp

numbers = itertools.count(1)  # one numbering for the whole run, so an ICCID names one profile


class Order:
    def __init__(self, desk, iccid):
        self.desk, self.iccid, self.matching_id = desk, iccid, None

    def show(self):
        return self.desk.rspd.ask("order show", iccid=self.iccid)

    @property
    def state(self):
        return self.show()["state"]

    def confirm(self, **args):
        answer = self.desk.rspd.ask("order confirm", iccid=self.iccid, **args)
        self.matching_id = answer["matchingId"]
        return answer

    def release(self):
        return self.desk.rspd.ask("order release", iccid=self.iccid)

    def cancel(self, final="available", **args):
        return self.desk.rspd.ask_any("order cancel", iccid=self.iccid, final=final, **args)

    def reset(self):
        return self.desk.rspd.ask_any("order reset", iccid=self.iccid)


class Desk:
    def __init__(self, rspd):
        self.rspd = rspd

    def write_profile(self, **content):
        """A package file of a new ICCID; (path, ICCID)."""
        number = next(numbers)
        path = self.rspd.folder / f"{upp.iccid(number)}.der"
        path.write_bytes(upp.profile(number, **content))
        return path, upp.iccid(number)

    def offer(self, path, **args):
        """`profile import` of a file; the whole answer, an error too."""
        package = base64.b64encode(path.read_bytes()).decode()
        return self.rspd.ask_any("profile import", package=package, **args)

    def load(self, args=None, **content):
        """Imports a new profile with arguments of `profile import`; its ICCID."""
        path, iccid = self.write_profile(**content)
        answer = self.offer(path, **(args or {}))
        assert "ok" in answer, answer
        path.unlink()
        return iccid

    def make_type(self, name, **args):
        return self.rspd.ask("profile-type create", name=name, **args)

    def order(self, eid=None, matching_id=None, cc=None, release=True, confirm=True, iccid=None):
        """An order, released unless told otherwise; rspd makes the MatchingID that is not given."""
        iccid = iccid or self.load()
        self.rspd.ask("order create", iccid=iccid, **({"eid": eid} if eid else {}))
        order = Order(self, iccid)
        if confirm:
            args = {"release": True} if release else {}
            if matching_id is not None:
                args["matchingId"] = matching_id
            if cc is not None:
                args["confirmationCode"] = cc
            order.confirm(**args)
        return order
