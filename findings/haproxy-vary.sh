#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 12: haproxy 2.6.12-1+deb12u3): the cache and Vary, with `process-vary on`.
#
# Expected: with this switch, one response is kept for each combination of the request headers that
# Vary names, whatever their names are, and a client gets what was stored for requests like its own.
# Seen: a response whose Vary names Accept, alone or as well, is
# never stored, and no message says so. Of what varies by Accept-Encoding, a client that has no such
# header gets whatever was stored first, here zstd that was stored for another client.
# Output: "HAProxy 2.6.12: Vary: Accept is asked 3 of 3 times, with Accept-Encoding 3 of 3,
#   Accept-Encoding alone 1 of 3; no Accept-Encoding: zstd"
#
# Why a publisher cares: an API that offers JSON and CSV by Accept looks as if it were cached, and its
# origin gets every request; single-format files come as unreadable bytes to plain `curl` and scripts.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
apt-get download -q haproxy=2.6.12-1+deb12u3 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 \
    liblua5.3-0=5.3.6-2 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in *.deb; do dpkg -x "$package" system; done

cat >publisher.py <<'PYTHON'
"""Serve responses that vary by what their path says, count them, and write the port to a file."""
import http.server
from pathlib import Path


class Publisher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Publisher.served += 1
        coding = self.headers.get("Accept-Encoding", "identity")
        body = f"{self.headers.get('Accept', '*/*')} as {coding}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("Vary", self.path.strip("/").replace("+", ", "))
        if coding != "identity":
            self.send_header("Content-Encoding", coding)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Served", str(Publisher.served))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
server.handle_error = lambda *_: None  # connections that HAProxy keeps are cut when it ends
Path("port.part").write_text(str(server.server_port))
Path("port.part").rename("port")
server.serve_forever()
PYTHON
python3 publisher.py &
until [ -e port ]; do sleep 0.1; done
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
cat >haproxy.cfg <<CONFIGURATION
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
cache record
    total-max-size 4
    max-age 3600
    process-vary on
frontend http
    bind 127.0.0.1:$port
    default_backend record
backend record
    http-request cache-use record
    http-response cache-store record
    server record 127.0.0.1:$(cat port)
CONFIGURATION
libraries=$(find "$folder/system" -name 'lib*.so.*' -printf '%h\n' | sort -u | paste -sd:)
LD_LIBRARY_PATH=$libraries system/usr/sbin/haproxy -db -f haproxy.cfg >haproxy.log 2>&1 &
url=http://127.0.0.1:$port
for _ in $(seq 50); do curl -sf -o /dev/null "$url/Accept" && break; sleep 0.2; done

get() { curl -sf -i "$url/$1" "${@:2}" | tr -d '\r'; }
asked() {
    for _ in 1 2 3; do get "$1" -H 'Accept: text/csv' -H 'Accept-Encoding: zstd'; done |
        sed -n 's/^served: //Ip' | sort -u | wc -l
}
seen="Vary: Accept is asked $(asked Accept) of 3 times, with Accept-Encoding $(asked Accept+Accept-Encoding) of 3,"
seen+=" Accept-Encoding alone $(asked Accept-Encoding) of 3;"
seen+=" no Accept-Encoding: $(get Accept-Encoding | sed -n 's/^content-encoding: //Ip')"
get Accept-Encoding -H 'Accept-Encoding: identity' | grep -q ' as identity$'
expected="Vary: Accept is asked 3 of 3 times, with Accept-Encoding 3 of 3, Accept-Encoding alone 1 of 3;"
expected+=" no Accept-Encoding: zstd"
if [ "$seen" != "$expected" ]; then
    echo "HAProxy 2.6.12 has changed: $seen"
    exit 1
fi
echo "HAProxy 2.6.12: $seen"
