#!/usr/bin/env bash
# Squid 5.7 (Debian 12: squid 5.7-2+deb12u5): If-Range with an old ETag gets a damaged file.
#
# Expected: a client that reads a file in parts sends Range and, in If-Range, the ETag of the first
# part. If the file has changed since, it is sent the whole new file, also by a cache that stores it.
# Seen: for a range that starts within the first 4 KB of a file in memory, Squid sends status 200, the
# new ETag and the right Content-Length, but the body begins with the bytes from the requested offset up
# to 4096, and only what comes after those is in its place: some bytes are missing and as many are there
# twice. The same range without If-Range, and a plain GET afterwards, are right, so the stored copy is.
# Output: "Squid 5.7: 200 with the ETag and length of the file, but bytes 0-99 missing and 3996-4095 twice"
#
# Why a publisher cares: readers of SQLite or other files over HTTP ask for parts near the start, and
# If-Range does not match just when a new release is out. Nothing in the response shows the damage; a
# published digest does. `send_hit deny` for requests that have If-Range avoids it.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
umask 022
chmod 755 .
apt-get download -q squid=5.7-2+deb12u5 squid-common=5.7-2+deb12u5 libecap3=1.0.1-3.4 \
    libltdl7=2.4.7-7~deb12u1 libnetfilter-conntrack3=1.0.9-3 libnfnetlink0=1.0.2-2 >apt.log 2>&1 ||
    { cat apt.log; exit 1; }
for package in *.deb; do dpkg -x "$package" system; done

cat >publisher.py <<'PYTHON'
"""Serve 1,000 numbered lines with an ETag, and write the port to a file."""
import http.server
from pathlib import Path

FILE = b"".join(b"%06d,award\n" % number for number in range(1000))


class Publisher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("ETag", '"new"')
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_):
        pass


Path("file").write_bytes(FILE)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
Path("port.part").write_text(str(server.server_port))
Path("port.part").rename("port")
server.serve_forever()
PYTHON
python3 publisher.py &
until [ -e port ]; do sleep 0.1; done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >squid.conf <<CONFIGURATION
http_port 127.0.0.1:$port accel defaultsite=record.example no-vhost
cache_peer 127.0.0.1 parent $(cat port) 0 no-query no-digest no-netdb-exchange originserver
http_access allow all
cache_mem 16 MB
maximum_object_size_in_memory 4 MB
access_log none
cache_log /dev/null
pid_filename none
pinger_enable off
netdb_filename none
coredump_dir none
cache_effective_user nobody
mime_table $folder/system/usr/share/squid/mime.conf
icon_directory $folder/system/usr/share/squid/icons
shutdown_lifetime 0 seconds
CONFIGURATION
libraries=$(find "$folder/system" -name 'lib*.so.*' -printf '%h\n' | sort -u | paste -sd:)
LD_LIBRARY_PATH=$libraries system/usr/sbin/squid -N -f squid.conf >squid.log 2>&1 &
url=http://127.0.0.1:$port/awards.csv
for _ in $(seq 100); do curl -sf -o first "$url" && break; sleep 0.2; done
cmp first file

curl -sf -D range.head -o range -H 'Range: bytes=100-' "$url"
grep -q '^HTTP/1.1 206' range.head
tail -c +101 file | cmp - range

curl -sf -D old.head -o old -H 'Range: bytes=100-' -H 'If-Range: "old"' "$url"
curl -sf -D again.head -o again "$url"
cmp again file
for head in old.head again.head; do
    grep -q '^HTTP/1.1 200' $head
    grep -qi '^x-cache: hit' $head
    grep -qi '^etag: "new"' $head
    grep -qi "^content-length: $(stat -c %s file)" $head
done
{ head -c 4096 file | tail -c +101; tail -c +3997 file; } >damaged
if ! cmp damaged old; then
    cmp old file && echo "Squid sent the file unharmed"
    exit 1
fi
echo "Squid 5.7: 200 with the ETag and length of the file, but bytes 0-99 missing and 3996-4095 twice"
