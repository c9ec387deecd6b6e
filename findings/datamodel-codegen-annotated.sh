#!/usr/bin/env bash
# datamodel-code-generator 0.89.0 (PyPI): --use-annotated changes what is generated, not only how it is written.
#
# Expected: the option moves constraints into Annotated; a list that may be null stays a list. Whether null
# is one of two types or an alternative (anyOf) makes no difference, as both mean the same.
# Seen: of the alternative, the option makes a class, whose list is in `root`; without it, the list is plain
# and its minItems is lost. Of two types, it is a list with its constraint either way.
# Output: "datamodel-code-generator 0.89.0: anyOf gives list without constraint, with --use-annotated
#   Regions; two types give list with constraint, with --use-annotated list with constraint"
#
# Why a publisher cares: the way in which pydantic writes `list | None` makes a class of every such field of
# its users. Written as `type: [array, "null"]`, the same schema gives plain lists.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datamodel-code-generator==0.89.0 pydantic==2.14.3 \
    >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
"""Print what is generated for a list that may be null, in both notations."""
import importlib
import json
import subprocess

names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
notations = {
    "Alternative": {"anyOf": [names, {"type": "null"}]},
    "Types": {**names, "type": ["array", "null"]},
}
schemas = {
    name: {
        "type": "object",
        "required": ["regions"],
        "properties": {"regions": {**schema, "description": "Names of regions."}},
    }
    for name, schema in notations.items()
}
document = {
    "openapi": "3.1.0",
    "info": {"title": "Awards", "version": "1"},
    "paths": {},
    "components": {"schemas": schemas},
}
with open("document.json", "w") as file:
    json.dump(document, file)


def generate(module, *options):
    command = [
        *("venv/bin/datamodel-codegen", "--input", "document.json", "--input-file-type", "openapi"),
        *("--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin"),
        *("--output", f"{module}.py", *options),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return importlib.import_module(module)


def describe(model):
    value = type(model.model_validate({"regions": ["cusco"]}).regions).__name__
    try:
        model.model_validate({"regions": []})
    except ValueError:
        return f"{value} with constraint" if value == "list" else value
    return f"{value} without constraint"


plain, annotated = generate("plain"), generate("annotated", "--use-annotated")
print(
    f"anyOf gives {describe(plain.Alternative)}, with --use-annotated {describe(annotated.Alternative)};"
    f" two types give {describe(plain.Types)}, with --use-annotated {describe(annotated.Types)}"
)
PYTHON
seen=$(venv/bin/python check.py)
expected="anyOf gives list without constraint, with --use-annotated Regions;"
expected+=" two types give list with constraint, with --use-annotated list with constraint"
if [ "$seen" != "$expected" ]; then
    echo "datamodel-code-generator 0.89.0 has changed: $seen"
    exit 1
fi
echo "datamodel-code-generator 0.89.0: $seen"
