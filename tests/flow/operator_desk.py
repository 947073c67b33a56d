"""The operator: keeps a stock of profiles in rspd and makes orders over the control socket."""

import itertools

import upp

numbers = itertools.count(1)  # one numbering for the whole run, so an ICCID names one profile
CHUNK = 25


class Order:
    def __init__(self, desk, iccid, matching_id=None):
        self.desk, self.iccid, self.matching_id = desk, iccid, matching_id

    def show(self):
        return self.desk.rspd.ask("order show", iccid=self.iccid)

    @property
    def state(self):
        return self.show()["state"]

    def confirm(self, **args):
        answer = self.desk.rspd.ask("order confirm", iccid=self.iccid, **args)
        self.matching_id = answer["matching_id"]
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
        self.stock = []

    def write_profile(self, **content):
        """A package file of a new ICCID; (path, ICCID)."""
        number = next(numbers)
        path = self.rspd.folder / f"{upp.iccid(number)}.der"
        path.write_bytes(upp.profile(number, **content))
        return path, upp.iccid(number)

    def load(self, *words, **content):
        """Imports one profile with options of `rspctl profile import`; its ICCID."""
        path, iccid = self.write_profile(**content)
        self.rspd.ctl("profile", "import", path, *words)
        return iccid

    def next_iccid(self):
        if not self.stock:
            folder = self.rspd.folder / "stock"
            folder.mkdir(exist_ok=True)
            for _ in range(CHUNK):
                number = next(numbers)
                (folder / f"{number}.der").write_bytes(upp.profile(number))
                self.stock.append(upp.iccid(number))
            self.rspd.ctl("profile", "import", folder)
            for path in folder.iterdir():
                path.unlink()
        return self.stock.pop(0)

    def order(self, eid=None, matching_id=None, cc=None, release=True, confirm=True, iccid=None):
        """An order, released unless told otherwise; rspd makes the MatchingID when none is given."""
        iccid = iccid or self.next_iccid()
        linked = {"eid": eid} if eid else {}
        self.rspd.ask("order create", iccid=iccid, **linked)
        order = Order(self, iccid)
        if confirm:
            args = {"release": True} if release else {}
            if matching_id is not None:
                args["matching_id"] = matching_id
            if cc is not None:
                args["cc"] = cc
            order.confirm(**args)
        return order
