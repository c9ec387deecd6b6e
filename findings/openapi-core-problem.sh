#!/usr/bin/env bash
# openapi-core 0.23.1 (PyPI): a problem document is an invalid response, though its media type ends in +json.
#
# Expected: a media type with the suffix +json (RFC 6839) is read as JSON, as `application/vnd.api+json` is.
# Seen: that one is; `application/problem+json` (RFC 9457) and `application/geo+json` are handed to the schema
# as bytes, so that every error response that the document describes is reported as invalid.
# Output: "openapi-core 0.23.1 reads application/json, application/vnd.api+json, not application/problem+json,
#   application/geo+json"
#
# Why a publisher cares: users who validate responses see failures in exactly the cases in which the API
# says what is wrong. They have to register a deserializer for each such type.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-core==0.23.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
"""Print which media types with JSON are read."""
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse


def is_read(media_type):
    content = {media_type: {"schema": {"type": "object", "required": ["detail"]}}}
    responses = {"404": {"description": "A problem.", "content": content}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Awards", "version": "1"},
        "paths": {"/awards": {"get": {"responses": responses}}},
    }
    request = MockRequest("https://data.example", "get", "/awards")
    response = MockResponse(b'{"detail": "No such award."}', 404, content_type=media_type)
    result = OpenAPI.from_dict(document).unmarshal_response(request, response)
    assert bool(result.errors) == (result.data is None)
    return result.data == {"detail": "No such award."}


types = ["application/json", "application/vnd.api+json", "application/problem+json", "application/geo+json"]
read = [name for name in types if is_read(name)]
print(f"reads {', '.join(read)}, not {', '.join(name for name in types if name not in read)}")
PYTHON
seen=$(venv/bin/python check.py)
expected="reads application/json, application/vnd.api+json, not application/problem+json, application/geo+json"
if [ "$seen" != "$expected" ]; then
    echo "openapi-core 0.23.1 has changed: $seen"
    exit 1
fi
echo "openapi-core 0.23.1 $seen"
