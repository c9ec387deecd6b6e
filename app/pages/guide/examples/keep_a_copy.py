"""Keep a copy of the record: `python keep_a_copy.py copy.json` downloads or updates it."""

import json
import sys
import time
from pathlib import Path

import httpx

BASE_URL = "http://127.0.0.1:8000"
ATTEMPTS = 6


class CannotUpdate(Exception):
    """The changes do not lead from this copy to the release: download it as a whole."""


def get(client, path, etag=None):
    """The response to a request; None if it still has this entity tag."""
    for _ in range(ATTEMPTS):
        response = client.get(path, headers={"If-None-Match": etag} if etag else {})
        if response.status_code != 503:
            break
        seconds = response.headers.get("Retry-After", "")
        time.sleep(int(seconds) if seconds.isdigit() else 60)
    if response.status_code in (404, 422):  # the server has no such release, or not yet
        raise CannotUpdate(response.text)
    return None if response.status_code == 304 else response.raise_for_status()


def download(client, release):
    """All items of a release by their paths. The response never changes."""
    record = get(client, f"/v1/releases/{release}/record").json()
    items = [item for collection in record["data"].values() for item in collection]
    return {item.pop("links")["self"]: item for item in items}


def changes(client, since, until):
    """All changes between two releases. As both are named, no page depends on a later one."""
    path = f"/v1/changes?since={since}&until={until}"
    while path:
        page = get(client, path).json()
        yield from page["data"]
        path = page["links"]["next"]


def apply(items, change):
    """Change a field of an item, or a citation as a whole, where the old value is as expected."""
    path, field, after = change["links"]["resource"], change["field"], change["after"]
    holder, key = (items, path) if field is None else (items.setdefault(path, {}), field)
    if holder.get(key) != change["before"]:
        raise CannotUpdate(f"{path} differs from the release that the copy was made from")
    if change["kind"] == "removed":
        del holder[key]
    else:
        holder[key] = after
    if not items.get(path):  # the last field of a removed item
        items.pop(path, None)


def update(client, copy):
    """The copy as of the release that is served now. An empty one is downloaded."""
    response = get(client, "/v1/meta", copy.get("etag"))
    if response is None:
        return copy
    meta = response.json()["data"]
    if not copy:
        items = download(client, meta["release"])
    else:
        items = copy["items"]
        for change in changes(client, copy["meta"]["release"], meta["release"]):
            if change["type"] != "record":  # what describes the whole record is in meta
                apply(items, change)
    if len(items) != sum(meta["counts"].values()):
        raise CannotUpdate("The copy has another number of items than the release")
    return {"etag": response.headers["ETag"], "meta": meta, "items": items}


def main():
    """Update the file. Run this daily; within an hour, a cache may repeat its response."""
    if len(sys.argv) != 2:
        print("Usage: python keep_a_copy.py copy.json", file=sys.stderr)
        sys.exit(2)
    file = Path(sys.argv[1])
    copy = json.loads(file.read_text("utf-8")) if file.exists() else {}
    with httpx.Client(base_url=BASE_URL, timeout=60) as client:
        for attempt in range(ATTEMPTS):
            try:
                copy = update(client, copy)
                break
            except CannotUpdate:
                copy = {}
                time.sleep(attempt)
        else:
            sys.exit("No release could be downloaded.")
    new_file = file.with_suffix(".new")
    new_file.write_text(json.dumps(copy, ensure_ascii=False), "utf-8")
    new_file.replace(file)
    print(copy["meta"]["release_label"], len(copy["items"]), "items")


if __name__ == "__main__":
    main()
