"""JSON as it is written: where each value stands, so that a file can be changed in places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.seed.reader import escape_pointer

_WHITESPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = json.JSONDecoder()
_LINE_CHARACTERS = 100
Edit = tuple[int, int, str]
"""Start and end of what is replaced, and the new text."""


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value in a text.

    Attributes:
        start: Index of its first character.
        end: Index after its last character.
        content: Its members by key, its items, or its value if it is a scalar.
        key_start: Index of its key, if it is a member of an object.
    """

    start: int
    end: int
    content: Any
    key_start: int = -1

    @property
    def value(self) -> Any:
        """The value as of `json.loads`."""
        if isinstance(self.content, dict):
            return {key: member.value for key, member in self.content.items()}
        if isinstance(self.content, list):
            return [item.value for item in self.content]
        return self.content

    def get(self, key: str) -> Any:
        """The value of a member; None if there is none or this is no object."""
        member = self.content.get(key) if isinstance(self.content, dict) else None
        return None if member is None else member.value

    def walk(self, pointer: str = "") -> Iterator[tuple[str, Node]]:
        """Every value in this one, with its JSON pointer."""
        yield pointer, self
        if isinstance(self.content, dict):
            for key, member in self.content.items():
                yield from member.walk(f"{pointer}/{escape_pointer(key)}")
        elif isinstance(self.content, list):
            for index, item in enumerate(self.content):
                yield from item.walk(f"{pointer}/{index}")


def parse_json(text: str) -> Node:
    """The value that a text consists of.

    Raises:
        json.JSONDecodeError: The text is not valid JSON.
    """
    node = _parse(text, _skip(text, 0))
    end = _skip(text, node.end)
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return node


def set_members(
    text: str, node: Node, values: Mapping[str, Any], order: Sequence[str]
) -> Iterator[Edit]:
    """Edits that set members of an object, in the style in which its other members are written.

    A new member goes before the first one that follows it in `order`, else after the last one.

    Args:
        text: The text.
        node: The object.
        values: The new values by key, in the order in which they are added.
        order: All keys that the object may have.
    """
    members: dict[str, Node] = node.content
    colon, gap = _style(text, node)
    comma = f",{gap}" if members else ""
    for key, value in values.items():
        written = json.dumps(value, ensure_ascii=False)
        if key in members:
            yield members[key].start, members[key].end, written
            continue
        entry = f"{json.dumps(key)}{colon}{written}"
        following = next((other for other in order[order.index(key) :] if other in members), None)
        if following is not None:
            place = members[following].key_start
            yield place, place, f"{entry},{gap}"
        else:
            place = max((member.end for member in members.values()), default=node.start + 1)
            yield place, place, comma + entry
            comma = f",{gap}"


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; those at the same place in the order given."""
    pieces, position = [], 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[0]):
        pieces += [text[position:start], replacement]
        position = end
    return "".join([*pieces, text[position:]])


def format_json(value: Any, indent: str = "") -> str:
    """JSON for people: what fits on a line is on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent + line) <= _LINE_CHARACTERS:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        lines = [
            f"{inner}{json.dumps(key)}: {format_json(member, inner)}"
            for key, member in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + format_json(item, inner) for item in value) + f"\n{indent}]"


def _skip(text: str, index: int) -> int:
    match = _WHITESPACE.match(text, index)
    return match.end() if match else index


def _parse(text: str, start: int) -> Node:
    opening = text[start : start + 1]
    if opening == "{":
        return _parse_object(text, start)
    if opening == "[":
        return _parse_array(text, start)
    value, end = _SCALAR.raw_decode(text, start)
    return Node(start, end, value)


def _parse_object(text: str, start: int) -> Node:
    members: dict[str, Node] = {}
    index = _skip(text, start + 1)
    while text[index : index + 1] != "}":
        if members:
            index = _expect(text, index, ",")
        key_start = index
        if text[index : index + 1] != '"':
            raise json.JSONDecodeError("expected a key in double quotes", text, index)
        key, index = _SCALAR.raw_decode(text, index)
        member = _parse(text, _expect(text, _skip(text, index), ":"))
        members[key] = Node(member.start, member.end, member.content, key_start)
        index = _skip(text, member.end)
    return Node(start, index + 1, members)


def _parse_array(text: str, start: int) -> Node:
    items: list[Node] = []
    index = _skip(text, start + 1)
    while text[index : index + 1] != "]":
        if items:
            index = _expect(text, index, ",")
        items.append(_parse(text, index))
        index = _skip(text, items[-1].end)
    return Node(start, index + 1, items)


def _expect(text: str, index: int, character: str) -> int:
    """The index of what follows a character and white space."""
    if text[index : index + 1] != character:
        raise json.JSONDecodeError(f"expected {character!r}", text, index)
    return _skip(text, index + 1)


def _style(text: str, node: Node) -> tuple[str, str]:
    """What stands between key and value, and between two members, in an object."""
    members = list(node.content.values())
    if not members:
        return ": ", " "
    first = members[0]
    _, key_end = _SCALAR.raw_decode(text, first.key_start)
    colon = text[key_end : first.start]
    leading = text[node.start + 1 : first.key_start]
    if len(members) > 1:
        leading = text[first.end : members[1].key_start].rpartition(",")[2]
    return colon, leading or colon.partition(":")[2]
