#!/usr/bin/env python3
"""Renders the templates of jinja2-cases.json.gz anew with Jinja2 and puts its answers beside them.

The environment is that of Hugging Face transformers; the clock stands at 2025-07-10 12:00. Needs Jinja2 3.1.6.
To add cases, add objects with a "template" to the file first.
"""
import copy
import datetime
import gzip
import json
import pathlib

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

FILE = pathlib.Path(__file__).with_suffix(".json.gz")
NOW = datetime.datetime(2025, 7, 10, 12)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

    def _pass(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
)
env.filters["tojson"] = tojson
env.globals.update(raise_exception=raise_exception, strftime_now=NOW.strftime)

data = json.loads(gzip.decompress(FILE.read_bytes()))
for case in data["cases"]:
    try:
        answer = {"ok": env.from_string(case["template"]).render(**copy.deepcopy(data["variables"]))}
    except Exception as e:
        answer = {"error": type(e).__name__}
    case.pop("ok", None), case.pop("error", None)
    case.update(answer)
text = json.dumps(data, ensure_ascii=True, indent=0)
FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
print(len(data["cases"]), "cases,", sum("ok" in case for case in data["cases"]), "rendered")
