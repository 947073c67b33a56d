"""The operator's language: every verb of rspctl once, what it prints held against schemas/ctl, and
errors that say what to do."""

import json
import subprocess

import jsonschema
import pytest

from card import Card, Download
from conftest import new_eid
from harness import BUILD, REPOSITORY

SCHEMAS = REPOSITORY / "schemas" / "ctl"


def schema(verb):
    return json.loads((SCHEMAS / f"{verb.replace(' ', '-')}.json").read_text())


def ctl(rspd, verb, *words):
    """What the verb printed, after the schema agreed."""
    printed = rspd.ctl(*verb.split(), *words)
    jsonschema.validate(printed, schema(verb)["properties"]["ok"])
    return printed
