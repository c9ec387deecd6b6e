"""What the README promises: its commands, counts, tables and links are checked."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from app.archive.archive import Archive
from app.models import Citation
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES, Derived, Editorial, Enriched, Stated
from app.settings import Settings
from tests.conftest import ROOT, needs

README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES = re.findall(r"```console\n\$ (.+?)\n(.*?)```", README, re.DOTALL)
BASES = (Stated, Derived, Editorial, Enriched)
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")],
    key=lambda path: path.relative_to(ROOT),
)


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_each_command_prints_the_output_shown(server: str, command: str, output: str) -> None:
    """Every command that is shown with output prints exactly that output."""
    needs("curl", "the README's commands use it")
    local = command.replace("http://127.0.0.1:8000", server)
    assert local != command
    done = subprocess.run(local, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - the README's own line
    assert done.stdout == output


def test_there_are_three_examples() -> None:
    """The examples are found, so the test above does not pass for lack of cases."""
    assert len(EXAMPLES) == 3


def test_counts_are_those_of_the_record(archive: Archive) -> None:
    """The introduction gives the number of resources of each type."""
    introduction = " ".join(README[: README.index("## Run it")].split())
    for collection, count in archive.counts.items():
        noun = collection.removesuffix("s") if count == 1 else collection
        assert re.search(rf"\b{count} {noun}\b", introduction), collection


def test_the_table_of_settings_is_complete() -> None:
    """The table has each setting with its default and description, in order, and no other."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = str(field.default).replace(f"{ROOT}/", "")
        default = default.lower() if isinstance(field.default, bool) else default
        shown = "not set" if field.default is None else f"`{default}`"
        expected.append((name.upper(), shown, field.description))
    assert rows == expected


def architecture() -> list[tuple[str, str]]:
    """Rows of the table of modules: the name in `app/`, and what it may import."""
    section = README[README.index("## Architecture") : README.index("## License")]
    return re.findall(r"^\| `([a-z_]+)(?:\.py|/)` \| .+ \| (.+) \|$", section, re.MULTILINE)


def layers() -> list[list[str]]:
    """The layers of the import contract, top first; each lists its independent modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def test_the_architecture_lists_every_module() -> None:
    """The table names each module and package of `app/`, as file or folder, and no other."""
    app = ROOT / "app"
    modules = {path.stem for path in app.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in app.glob("*/__init__.py")}
    assert sorted(name for name, _ in architecture()) == sorted(modules | packages)
    assert set(re.findall(r"^\| `([a-z_]+)\.py`", README, re.MULTILINE)) == modules
    assert set(re.findall(r"^\| `([a-z_]+)/`", README, re.MULTILINE)) == packages


def test_the_architecture_is_the_import_contract() -> None:
    """Rows are in the order of the layers; each may import the next layer and those below it."""
    expected = []
    for layer, below in zip(layers(), [*layers()[1:], []], strict=True):
        allowed = ", ".join(f"`{name}`" for name in below) or "nothing"
        allowed += " and below" if below and below != layers()[-1] else ""
        expected += [(name, allowed) for name in layer]
    assert architecture() == expected


def test_each_basis_is_defined_in_the_same_words() -> None:
    """The README, the seed's models and the API define each basis alike."""
    rows = re.findall(r"^\| `([a-z]+)` \| (.+) \|$", README, re.MULTILINE)
    assert dict(rows) == BASIS_MEANINGS
    models = {get_args(model.model_fields["basis"].annotation)[0]: model for model in BASES}
    docstrings = {basis: model.__doc__ for basis, model in models.items()}
    assert docstrings == {
        basis: f"{meaning[0].upper()}{meaning[1:]}." for basis, meaning in BASIS_MEANINGS.items()
    }
    description = Citation.model_fields["basis"].description or ""
    assert all(f"`{basis}`: {meaning}." in description for basis, meaning in rows)


def test_the_exceptions_from_citations_are_the_same() -> None:
    """The README names the values without a citation as the guide and the record page do."""
    assert UNCITED_VALUES in " ".join(README.split())


@pytest.mark.parametrize("document", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_make_targets_exist(document: str) -> None:
    """Every make target that is mentioned is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)`", document))
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path: Path) -> None:
    """Every relative link and image of a document leads to a file, and its anchor to a heading."""
    for target, anchor in re.findall(
        r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", path.read_text("utf-8")
    ):
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]
            assert anchor in slugs, f"{target}#{anchor}"
