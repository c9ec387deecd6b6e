"""What the README says is what happens."""

from __future__ import annotations

import re
import subprocess

import pytest

from app.settings import Settings
from tests.conftest import ROOT, needs

README = (ROOT / "README.md").read_text("utf-8")
_ANSWERED = re.findall(r"```console\n\$ (.+?)\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "answer"), _ANSWERED, ids=[one[0] for one in _ANSWERED])
def test_each_command_gives_the_answer_beside_it(server: str, command: str, answer: str) -> None:
    """Every command line with an answer gives that very answer."""
    needs("curl", "the README's commands use it")
    here = command.replace("http://127.0.0.1:8000", server)
    assert here != command
    shown = subprocess.run(here, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - the README's own line
    assert shown.stdout == answer


def test_there_are_three_answered_commands() -> None:
    """The examples are found, so the test above has not silently nothing to do."""
    assert len(_ANSWERED) == 3


def test_the_table_of_settings_is_complete() -> None:
    """Each setting stands in the table with its default and its description, and no other."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = str(field.default).replace(f"{ROOT}/", "")
        default = default.lower() if isinstance(field.default, bool) else default
        shown = "not set" if field.default is None else f"`{default}`"
        expected.append((name.upper(), shown, field.description))
    assert rows == expected


def test_every_module_has_its_room() -> None:
    """The picture of the house names every module and no other."""
    house = README[README.index("## The house") : README.index("## License")]
    named = set(re.findall(r"([a-z_]+\.py)`", house)) - {"collection.py"}
    present = {path.name for path in (ROOT / "app").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert named == present
    for folder in re.findall(r"`(app/[a-z]+/)`", house):
        assert (ROOT / folder).is_dir()


def test_make_targets_exist() -> None:
    """Every target that the README names is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z]+)`", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
