#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12: nginx 1.22.1-9+deb12u9): named error pages turn 400 and 414 into 500.
#
# Expected: `error_page 414 @long` answers a URL that is too long with what the named location returns,
# status 414 and a body of the publisher's own, as `error_page 404 @missing` does for 404.
# Seen: where nginx refuses the request line itself, there is no URI yet for the named location, so the
# client gets status 500 and nginx's own HTML page. A well-formed URL of 9,000 characters does it, as
# does an escape such as %zz. A 400 that the configuration returns is answered as expected, so
# trying the page out does not show it. With `error_page 414 /long.json`, a path, it works.
# Output: "nginx 1.22.1: named 404 404, 400 by return 400, 400 by nginx 500, 414 500; by path 414 414"
#
# Why a publisher cares: search forms and shared links make long URLs. Clients repeat what fails with
# 500 and operators are woken for it; both are told that the server is at fault, in the wrong format.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
chmod 755 .
apt-get download -q nginx=1.22.1-9+deb12u9 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x nginx_*.deb system

read -r named path < <(python3 - <<'PYTHON'
import socket

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in sockets))
PYTHON
)
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
        listen 127.0.0.1:$named;
        error_page 400 @invalid;
        error_page 404 @missing;
        error_page 414 @long;
        location / { return 404; }
        location /invalid { return 400; }
        location @invalid { return 400 '{"status": 400}'; }
        location @missing { return 404 '{"status": 404}'; }
        location @long { return 414 '{"status": 414}'; }
    }
    server {
        listen 127.0.0.1:$path;
        error_page 414 /long.json;
        location = /long.json { internal; return 414 '{"status": 414}'; }
    }
}
CONFIGURATION
system/usr/sbin/nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/error.log" &
for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$named/" && break; sleep 0.1; done

answer() {
    local status
    status=$(curl -s -o body.json -w '%{http_code}' "http://127.0.0.1:$1")
    if [ "$status" = 500 ]; then grep -q '<h1>500 Internal Server Error</h1>' body.json; fi
    if [ "$status" != 500 ]; then grep -q "^{\"status\": $status}$" body.json; fi
    echo "$status"
}
long="?q=$(printf 'a%.0s' $(seq 9000))"
seen="named 404 $(answer "$named/"), 400 by return $(answer "$named/invalid"), 400 by nginx $(answer "$named/%zz"),"
seen+=" 414 $(answer "$named/$long"); by path 414 $(answer "$path/$long")"
expected="named 404 404, 400 by return 400, 400 by nginx 500, 414 500; by path 414 414"
if [ "$seen" != "$expected" ]; then
    echo "nginx 1.22.1 has changed: $seen"
    exit 1
fi
echo "nginx 1.22.1: $seen"
