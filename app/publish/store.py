"""Object stores: S3, Google Cloud Storage, Azure Blob Storage or a directory, through obstore."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.mirror.cdn import STORED_HEADERS

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "az", "file")
_NO_OBSTORE = (
    "Publishing requires obstore: pip install --require-hashes -r requirements-publish.txt"
)
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_KEYS_PER_DELETION = 1_000
_NOT_FOUND_REASONS = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")


class PublishError(Exception):
    """A mirror that cannot be published or read back; the message is meant for the user."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing.

    Attributes:
        key: Its key below the prefix of the store.
        bytes: Its size.
        e_tag: Its entity tag without quotes, if the store has them.
        modified: When it was written.
    """

    key: str
    bytes: int
    e_tag: str | None
    modified: datetime


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An object that was read.

    Attributes:
        chunks: Its content.
        bytes: Its size.
        headers: Its headers and metadata, by lower-case name.
        version: What identifies this state of the object in a conditional write.
    """

    chunks: AsyncIterator[bytes]
    bytes: int
    headers: Mapping[str, str]
    version: Mapping[str, str]


class Store:
    """A bucket, or what is below a prefix in it.

    Attributes:
        url: Its URL, as given.
        keeps_headers: Whether objects have headers and metadata; files of a directory do not.
    """

    def __init__(self, url: str, store: ObjectStore) -> None:
        self.url = url.rstrip("/")
        self.keeps_headers = not self.url.startswith("file:")
        self._store = store

    async def read(self, key: str, *, headers_only: bool = False) -> ReadObject | None:
        """An object, or None if it does not exist.

        Raises:
            PublishError: It cannot be read.
        """
        with self._errors(f"read {key}"):
            try:
                result = await self._store.get_async(key, options={"head": headers_only})
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
        headers = {name.lower(): value for name, value in result.attributes.items()}
        chunks = self._chunks(key, result)
        return ReadObject(chunks, result.meta["size"], headers, _version(result.meta))

    async def _chunks(self, key: str, result: Any) -> AsyncIterator[bytes]:
        with self._errors(f"read {key}"):
            async for chunk in result.stream():
                yield bytes(chunk)

    async def write(
        self, key: str, content: bytes | Path | Iterable[bytes], headers: Mapping[str, str]
    ) -> None:
        """Write an object, replacing an existing one."""
        with self._errors(f"write {key}"):
            await self._store.put_async(key, content, attributes=self._attributes(headers))

    async def create(
        self, key: str, content: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """Write an object if there is none; its version, or None if there is one."""
        return await self._write_if(key, content, headers, "create")

    async def replace(
        self, key: str, content: bytes, headers: Mapping[str, str], version: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """Replace an object if it has this version; the new one, or None if it was changed."""
        return await self._write_if(key, content, headers, dict(version))

    async def _write_if(
        self, key: str, content: bytes, headers: Mapping[str, str], mode: Any
    ) -> Mapping[str, str] | None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        attributes = self._attributes(headers)
        with self._errors(f"write {key}"):
            try:
                result = await self._store.put_async(
                    key, content, attributes=attributes, mode=mode, use_multipart=False
                )
            except (AlreadyExistsError, PreconditionError) as error:
                self._check_bucket(error)
                return None
        return _version(result)

    async def list_objects(self, folder: str) -> AsyncIterator[ListedObject]:
        """Every object whose key is in a folder or below it."""
        with self._errors(f"list {folder}/"):
            async for batch in self._store.list(prefix=folder):
                for meta in batch:
                    e_tag = meta["e_tag"] and meta["e_tag"].strip('"')
                    yield ListedObject(meta["path"], meta["size"], e_tag, meta["last_modified"])

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder."""
        with self._errors(f"list {folder}/"):
            result = await self._store.list_with_delimiter_async(prefix=folder)
        return sorted(prefix.rpartition("/")[2] for prefix in result["common_prefixes"])

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that do not exist are ignored."""
        pending = list(keys)
        while pending:
            with self._errors("delete objects"):
                await self._store.delete_async(pending[:_KEYS_PER_DELETION])
            del pending[:_KEYS_PER_DELETION]

    def _attributes(self, headers: Mapping[str, str]) -> Any:
        if not self.keeps_headers:
            return None
        return {
            name.title() if name in STORED_HEADERS else name: value
            for name, value in headers.items()
        }

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        """Turn the exceptions of obstore into errors with a message for the user."""
        from obstore.exceptions import BaseError  # noqa: PLC0415

        try:
            yield
        except (BaseError, OSError, NotImplementedError) as error:
            raise PublishError(self._message(action, error)) from error

    def _check_bucket(self, error: Exception) -> None:
        """Raise an error again that says that the bucket, not the object, is missing."""
        if any(reason in str(error) for reason in _NOT_FOUND_REASONS):
            raise error

    def _message(self, action: str, error: Exception) -> str:
        from obstore.exceptions import (  # noqa: PLC0415
            PermissionDeniedError,
            UnauthenticatedError,
        )

        text = str(error)
        scheme, name = urlsplit(self.url)[:2]
        if any(reason in text for reason in _NOT_FOUND_REASONS):
            return f"{scheme}://{name} does not exist. Create it, or correct its name."
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            advice = f"Check {_CREDENTIALS[scheme]}, " if scheme in _CREDENTIALS else "Check "
            return (
                f"{self.url} does not permit to {action}. {advice}and the permissions to list, "
                "read, write and delete objects."
            )
        if "error sending request" in text:
            return f"{self.url} cannot be reached to {action}. Check the network and the endpoint."
        return f"Cannot {action} in {self.url}: {text.strip().splitlines()[0]}"


def _version(meta: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: meta[name] for name in ("e_tag", "version") if meta.get(name)}


def open_store(url: str) -> Store:
    """The store at a URL. Credentials and the endpoint come from the environment.

    Raises:
        PublishError: obstore is not installed, or the URL is not that of a store.
    """
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import LocalStore, from_url  # noqa: PLC0415
    except ImportError as error:
        raise PublishError(_NO_OBSTORE) from error
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.query or parts.fragment:
        raise PublishError(f"{url} is not a URL such as s3://BUCKET/PREFIX ({', '.join(SCHEMES)}).")
    if not (parts.path if parts.scheme == "file" else parts.netloc):
        raise PublishError(f"{url} names no bucket, such as {parts.scheme}://BUCKET/PREFIX.")
    if "//" in parts.path.strip("/"):
        raise PublishError(f"{url} has an empty name in its prefix, which copying tools lose.")
    try:
        if parts.scheme == "file":
            return Store(url, LocalStore(parts.path, mkdir=True))
        return Store(url, from_url(url, client_options={"allow_http": True}))
    except (BaseError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        variables = _CREDENTIALS.get(parts.scheme, "the path")
        raise PublishError(f"{url} cannot be opened: {reason}. Check {variables}.") from error
