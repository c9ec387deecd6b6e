#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 12: caddy 2.6.2-5): reverse_proxy gives plain bytes the ETag of gzip.
#
# Expected: `reverse_proxy` without options passes on the origin's representation and headers, so a
# client that sends no Accept-Encoding gets the identity representation with its ETag and length.
# Seen: for a GET without Accept-Encoding (but not for a HEAD, nor for a range), Caddy asks the origin
# for gzip on its own, unpacks the response, and leaves the strong ETag of the gzip representation on
# the plain bytes, without Content-Length. HEAD gives the other tag. With `compression off` in the
# transport, both agree.
# Output: Caddy 2.6.2: same plain bytes, GET "gzip", with Range "identity", HEAD "identity";
#   with compression off GET "identity", HEAD "identity"
#
# Why a publisher cares: a strong ETag stands for exact bytes. Clients that keep tags to check or to
# resume downloads find that the tag of the plain file depends on the method and on what is in between.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
apt-get download -q caddy=2.6.2-5 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x caddy_*.deb system

cat >publisher.py <<'PYTHON'
"""Serve one text as gzip and as it is, each with its own ETag, and write the port to a file."""
import gzip
import http.server
from pathlib import Path

TEXT = b"id,title\n" + b"1,award\n" * 300


class Publisher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        zipped = "gzip" in self.headers.get("Accept-Encoding", "")
        body = gzip.compress(TEXT) if zipped else TEXT
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Vary", "Accept-Encoding")
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("ETag", '"gzip"' if zipped else '"identity"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


Path("file").write_bytes(TEXT)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
Path("port.part").write_text(str(server.server_port))
Path("port.part").rename("port")
server.serve_forever()
PYTHON
python3 publisher.py &
until [ -e port ]; do sleep 0.1; done
read -r plain off < <(python3 - <<'PYTHON'
import socket

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in sockets))
PYTHON
)
cat >Caddyfile <<CONFIGURATION
{
    admin off
    auto_https off
}
http://127.0.0.1:$plain {
    reverse_proxy 127.0.0.1:$(cat port)
}
http://127.0.0.1:$off {
    reverse_proxy 127.0.0.1:$(cat port) {
        transport http {
            compression off
        }
    }
}
CONFIGURATION
HOME=$folder XDG_DATA_HOME=$folder XDG_CONFIG_HOME=$folder GOMAXPROCS=1 \
    system/usr/bin/caddy run --config Caddyfile --adapter caddyfile >caddy.log 2>&1 &
for _ in $(seq 100); do curl -sf -o /dev/null "http://127.0.0.1:$plain/" && break; sleep 0.2; done

get() { curl -sf -D "$1.head" -o "$1" "http://127.0.0.1:$2/"; }
range() { curl -sf -H 'Range: bytes=0-9' -D "$1.head" -o "$1" "http://127.0.0.1:$2/"; }
head_of() { curl -sf -I -o "$1.head" "http://127.0.0.1:$2/"; }
tag() { tr -d '\r' <"$1.head" | sed -n 's/^[Ee][Tt]ag: //p'; }
get get "$plain"
head_of head "$plain"
range range "$plain"
get get-off "$off"
head_of head-off "$off"

cmp get file
cmp range file  # the publisher ignores ranges
cmp get-off file
if grep -i '^content-\(encoding\|length\):' get.head; then exit 1; fi
grep -qi "^content-length: $(stat -c %s file)" head.head
grep -qi "^content-length: $(stat -c %s file)" get-off.head
seen="GET $(tag get), with Range $(tag range), HEAD $(tag head);"
seen+=" with compression off GET $(tag get-off), HEAD $(tag head-off)"
expected='GET "gzip", with Range "identity", HEAD "identity";'
expected+=' with compression off GET "identity", HEAD "identity"'
if [ "$seen" != "$expected" ]; then
    echo "Caddy 2.6.2 has changed: $seen"
    exit 1
fi
echo "Caddy 2.6.2: same plain bytes, $seen"
