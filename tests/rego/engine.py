"""Asks an independent engine what policies in Rego say of a plan: engine.py PLAN FILE.rego…

It prints `{RULE: [answers, sorted]}` for every deny, violation and warn rule, and needs `pip install regopy`.
"""

import json
import re
import sys

import regopy

plan, files = sys.argv[1], sys.argv[2:]
texts = [open(name, encoding="utf-8").read() for name in files]
engine = regopy.Interpreter()
for name, text in zip(files, texts):
    engine.add_module(name, text)
engine.set_input(json.load(open(plan, encoding="utf-8")))
rules = {}
for text in texts:
    package = re.search(r"^package\s+(\S+)", text, re.M).group(1)
    for rule in re.findall(r"^((?:deny|violation|warn)(?:_\w+)?)\b", text, re.M):
        rules[f"{package}/{rule}"] = f"data.{package}.{rule}"
answers = {}
for name, query in sorted(rules.items()):
    output = json.loads(str(engine.query(query)))
    # Objects come as texts.
    values = [json.loads(value) if value.startswith("{") else value for value in output["expressions"][0]]
    answers[name] = sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
print(json.dumps(answers, indent=2, sort_keys=True))
