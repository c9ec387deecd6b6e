#!/usr/bin/env bash
# signposting 0.9.9 (PyPI: signposting 0.9.9, httplink 0.2.0): one title without a language hides every link.
#
# Expected: the title of a link in the extended notation (RFC 8187) is read, or ignored, as signposts have none.
# Seen: `title*=UTF-8''Caf%C3%A9`, in which the optional language is left out, raises ValueError, and none of the
# links of the header is found, neither `cite-as` nor the license. With a language (`UTF-8'fr'Caf%C3%A9`), or
# with a plain title, all are.
# Output: "signposting 0.9.9: 2 links with a language, ValueError without"
#
# Why a publisher cares: libraries write the form without a language. A single title that is not in ASCII, such as
# that of an item, makes a landing page look like one without FAIR Signposting.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check signposting==0.9.9 httplink==0.2.0 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >read.py <<'PYTHON'
"""Read a `Link` header whose second link has a title."""
import sys

from signposting.linkheader import find_signposting_http_link

CITE_AS = '<https://a.example/releases/1>; rel="cite-as"'


def read(title):
    header = f'{CITE_AS}, <https://a.example/menu.csv>; rel="item"; {title}'
    try:
        found = find_signposting_http_link([header], "https://a.example/")
    except ValueError as error:
        return type(error).__name__
    assert found.citeAs.target == "https://a.example/releases/1"
    return f"{len(found)} links"


assert read('title="Menu"') == "2 links"
with_language, without = read("title*=UTF-8'fr'Caf%C3%A9"), read("title*=UTF-8''Caf%C3%A9")
sys.stdout.write(f"{with_language} with a language, {without} without\n")
PYTHON
seen=$(venv/bin/python read.py)
expected="2 links with a language, ValueError without"
if [ "$seen" != "$expected" ]; then
    echo "signposting 0.9.9 has changed: $seen"
    exit 1
fi
echo "signposting 0.9.9: $seen"
