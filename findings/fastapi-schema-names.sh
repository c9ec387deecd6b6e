#!/usr/bin/env bash
# fastapi 0.165.0 with pydantic 2.14.3 (PyPI): separate_input_output_schemas=False separates schemas.
#
# Expected: with this option, the OpenAPI document has one schema for each model, under the model's name.
# Seen: a model with an excluded field, used inside a model with a computed field, is there twice, as
# Passage-Input and Passage-Output, in an API that has no request bodies. With the option's default, True,
# it is there once, as Passage. Without the computed field, both give Passage.
# Output: "fastapi 0.165.0: False gives Linked Passage-Input Passage-Output, True gives Linked Passage;
#   without a computed field False gives Passage Source"
#
# Why a publisher cares: generated clients get their class names from the document, so a field that is
# computed somewhere else renames a class in every client, and leaves a class that nothing uses.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fastapi==0.165.0 pydantic==2.14.3 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
"""Print the names of the schemas of an API with one resource."""
from fastapi import FastAPI
from pydantic import BaseModel, Field, computed_field


class Passage(BaseModel):
    start: int
    reason: str = Field(exclude=True)


class Source(BaseModel):
    id: str
    passages: list[Passage]


class Linked(Source):
    @computed_field
    @property
    def link(self) -> str:
        return f"/sources/{self.id}"



def names(model, separate):
    api = FastAPI(separate_input_output_schemas=separate)
    api.get("/sources", response_model=model)(lambda: None)
    return " ".join(sorted(api.openapi()["components"]["schemas"]))


print(f"False gives {names(Linked, False)}, True gives {names(Linked, True)};", end=" ")
print(f"without a computed field False gives {names(Source, False)}")
PYTHON
seen=$(venv/bin/python check.py)
expected="False gives Linked Passage-Input Passage-Output, True gives Linked Passage;"
expected+=" without a computed field False gives Passage Source"
if [ "$seen" != "$expected" ]; then
    echo "fastapi 0.165.0 has changed: $seen"
    exit 1
fi
echo "fastapi 0.165.0: $seen"
