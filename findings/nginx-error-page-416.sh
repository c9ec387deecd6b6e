#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12: nginx 1.22.1-9+deb12u9): an error page for 416 is sent with the headers of the file.
#
# Expected: `error_page 416 @past` answers a range past the end of a file with what the named location
# returns and with its headers, as `error_page 404 @missing` does: Cache-Control once, no ETag.
# Seen: nginx finds that the range is past the end when the headers of the file are set already, and keeps
# them. The problem document has the file's ETag, both values of Cache-Control, the one for an hour and
# `no-store`, and twice every header that `add_header` sets in both places; two values of
# Access-Control-Allow-Origin make browsers refuse the response. Its body and media type are those of the
# named location. A 416 that the configuration returns before the file is opened is as expected.
# Output: "nginx 1.22.1: Cache-Control, Access-Control-Allow-Origin and ETag of 404: 1 1 0; 416: 2 2 1;
# 416 by return: 1 1 0"
#
# Why a publisher cares: a script that resumes a download whose end it already has cannot read why it
# failed, in browsers alone; and the error may be kept as if it were the file.
set -euo pipefail
shopt -s inherit_errexit

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
chmod 755 .
apt-get download -q nginx=1.22.1-9+deb12u9 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x nginx_*.deb system

port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
mkdir files
printf 'id,amount\na,1\n' >files/awards.csv
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
    default_type application/problem+json;
    server {
        listen 127.0.0.1:$port;
        root files;
        error_page 404 @missing;
        error_page 416 @past;
        add_header Cache-Control "public, max-age=3600" always;
        add_header Access-Control-Allow-Origin "*" always;
        location = /returned { return 416; }
        location @missing {
            add_header Cache-Control no-store always;
            add_header Access-Control-Allow-Origin "*" always;
            return 404 '{"status": 404}';
        }
        location @past {
            add_header Cache-Control no-store always;
            add_header Access-Control-Allow-Origin "*" always;
            return 416 '{"status": 416}';
        }
    }
}
CONFIGURATION
system/usr/sbin/nginx -p "$folder" -c nginx.conf -e stderr 2>nginx.log &
for _ in $(seq 100); do
    curl -s -o whole "http://127.0.0.1:$port/awards.csv" && break
    sleep 0.1
done
cmp whole files/awards.csv

# Numbers of Cache-Control, Access-Control-Allow-Origin and ETag headers, after the status is checked.
headers() {
    local status=$1 path=$2
    curl -s -D head -o answer -H 'Range: bytes=1000-' "http://127.0.0.1:$port$path"
    grep -q "^HTTP/1.1 $status " head
    [ "$(cat answer)" = "{\"status\": $status}" ]
    for name in Cache-Control Access-Control-Allow-Origin ETag; do grep -ci "^$name:" head || true; done | xargs
}
missing=$(headers 404 /missing.csv)
past=$(headers 416 /awards.csv)
grep -qi '^Cache-Control: public, max-age=3600' head
grep -qi '^Cache-Control: no-store' head
returned=$(headers 416 /returned)
[ "$missing" = "1 1 0" ]
[ "$past" = "2 2 1" ]
[ "$returned" = "1 1 0" ]
echo "nginx 1.22.1: Cache-Control, Access-Control-Allow-Origin and ETag of 404: $missing; 416: $past; 416 by return: $returned"
