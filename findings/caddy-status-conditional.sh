#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 12: caddy 2.6.2-5): a fixed status of file_server, such as 410, loses its page.
#
# Expected: `file_server { status 410 }` sends the file as the body of a 410 to every request. Conditions and
# ranges are for responses that would be 200 or 206 without them (RFC 9110, sections 13.1 and 14.2).
# Seen: a request with `If-None-Match: *` gets 410 with no body and no Content-Type, and one with a Range
# gets 410 with a part of the page and Content-Range.
# Output: "Caddy 2.6.2: of a page of 75 bytes, with If-None-Match 410 0 , with Range 410 10 application/json"
#
# Why a publisher cares: a 410 that says why something was removed, and what replaced it, comes empty or cut to
# clients that had a copy or resume a download: those that need it. Remove both headers in that route.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
apt-get download -q caddy=2.6.2-5 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x caddy_*.deb system

mkdir site
echo '{"status": 410, "detail": "Removed, because it is a part of another one."}' >site/gone.json
read -r plain without < <(python3 - <<'PYTHON'
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
    root * site
    file_server {
        status 410
    }
}
http://127.0.0.1:$without {
    root * site
    request_header -If-None-Match
    request_header -Range
    file_server {
        status 410
    }
}
CONFIGURATION
HOME=$folder XDG_DATA_HOME=$folder XDG_CONFIG_HOME=$folder GOMAXPROCS=1 \
    system/usr/bin/caddy run --config Caddyfile --adapter caddyfile >caddy.log 2>&1 &
for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$plain/gone.json" && break; sleep 0.2; done

# Status, bytes of the body and media type of a response.
ask() { curl -s -o body -w '%{http_code} %{size_download} %{content_type}' "$@"; }
condition='If-None-Match: *' part='Range: bytes=0-9'
page=$(stat -c %s site/gone.json)
url=http://127.0.0.1:$plain/gone.json
[ "$(ask "$url")" = "410 $page application/json" ]
seen="with If-None-Match $(ask -H "$condition" "$url"), with Range $(ask -H "$part" "$url")"
url=http://127.0.0.1:$without/gone.json
[ "$(ask -H "$condition" "$url")" = "410 $page application/json" ]
[ "$(ask -H "$part" "$url")" = "410 $page application/json" ]
expected="with If-None-Match 410 0 , with Range 410 10 application/json"
if [ "$seen" != "$expected" ]; then
    echo "Caddy 2.6.2 has changed: $seen"
    exit 1
fi
echo "Caddy 2.6.2: of a page of $page bytes, $seen"
