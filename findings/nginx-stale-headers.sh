#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12: nginx 1.22.1-9+deb12u9): a 304 renews what is stored, but not its headers.
#
# Expected: with `proxy_cache_revalidate on`, a 304 from the origin updates the stored headers with its
# own (RFC 9111, section 3.2), so hits show the values that the origin sent last.
# Seen: the 304 makes the stored response fresh again, for the time that the 304 says. But its other
# headers are dropped: hits keep those of the first 200, however often the origin confirms the body.
# Output: "nginx 1.22.1: after two 304s that say Release: 2 and 3, clients are told Release: 1"
#
# Why a publisher cares: the name of a release, a notice of deprecation or another license for data that
# has not changed never reaches clients; what tells releases apart has to be in the body.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
chmod 755 .
apt-get download -q nginx=1.22.1-9+deb12u9 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x nginx_*.deb system

cat >publisher.py <<'PYTHON'
"""Serve the same item in each release; a request is a release. Note them, and the port, in files."""
import http.server
from pathlib import Path


class Publisher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    release = 0

    def do_GET(self):
        Publisher.release += 1
        status = 304 if self.headers.get("If-None-Match") == '"same"' else 200
        with Path("origin").open("a") as log:
            print(status, self.release, file=log)
        body = b'{"id": "award"}\n' if status == 200 else b""
        self.send_response(status)
        self.send_header("Cache-Control", f"max-age={1 if self.release < 3 else 3600}")
        self.send_header("ETag", '"same"')
        self.send_header("Release", str(self.release))
        if body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
Path("port.part").write_text(str(server.server_port))
Path("port.part").rename("port")
server.serve_forever()
PYTHON
python3 publisher.py &
until [ -e port ]; do sleep 0.1; done
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
cat >nginx.conf <<CONFIGURATION
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_cache_path stored keys_zone=record:1m;
    server {
        listen 127.0.0.1:$port;
        location = /ready { return 204; }
        location / {
            proxy_cache record;
            proxy_cache_revalidate on;
            proxy_pass http://127.0.0.1:$(cat port);
            add_header Cache \$upstream_cache_status;
        }
    }
}
CONFIGURATION
system/usr/sbin/nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/error.log" &
for _ in $(seq 50); do curl -sf "http://127.0.0.1:$port/ready" && break; sleep 0.1; done

get() {
    curl -sf -D answer -o body.json "http://127.0.0.1:$port/awards/1"
    tr -d '\r' <answer | sed -n 's/^\(Cache\|Release\): //p' | sort -r | paste -sd' '
}
seen=$(get)
for _ in 1 2; do sleep 2.2; seen+=", $(get)"; done
sleep 2.2
seen+=", $(get)"  # the second 304 says that it is fresh for an hour
origin=$(paste -sd, origin)
expected="MISS 1, REVALIDATED 1, REVALIDATED 1, HIT 1"
if [ "$origin" != "200 1,304 2,304 3" ] || [ "$seen" != "$expected" ]; then
    echo "nginx 1.22.1 has changed: clients $seen; origin $origin"
    exit 1
fi
echo "nginx 1.22.1: after two 304s that say Release: 2 and 3, clients are told Release: 1"
