"""Read catalogs with each program, and write what they found as JSON.

The files of DCAT-US 3.0 and 1.1 are named on the command line. Run in the environment of
../requirements.txt.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ckanext.datajson.parse_datajson import parse_datajson_entry
from ckanext.dcat.processors import RDFParser
from pyld import jsonld
from rdflib import DCAT, RDF, Graph
from rdflib.compare import isomorphic

Json = dict[str, Any]


def count_with_rdflib(graph: Graph) -> Json:
    """Triples, and subjects of each class."""
    classes = {
        "datasets": DCAT.Dataset,
        "distributions": DCAT.Distribution,
        "services": DCAT.DataService,
    }
    counts = {name: len(set(graph.subjects(RDF.type, kind))) for name, kind in classes.items()}
    return {
        "triples": len(graph),
        **counts,
        "dataset": next(graph.subjects(RDF.type, DCAT.Dataset), None),
        "media types": sorted(set(graph.objects(None, DCAT.mediaType))),
    }


def agrees_with_pyld(graph: Graph, text: str) -> bool:
    """Whether PyLD gives the same graph."""
    quads = jsonld.to_rdf(json.loads(text), {"format": "application/n-quads"})
    return isomorphic(graph, Graph().parse(data=quads, format="nt"))


def read_with_ckan(text: str) -> list[Json]:
    """The datasets as CKAN would store them."""
    parser = RDFParser(profiles=["dcat_us_3"])
    parser.parse(text, _format="json-ld")
    return list(parser.datasets())


def read_with_datajson(text: str) -> Json:
    """The dataset of the 1.1 catalog as CKAN would store it."""
    [dataset] = json.loads(text)["dataset"]
    package: Json = {"tags": dataset["keyword"], "extras": [], "resources": []}
    parse_datajson_entry(dataset, package, {}, "1.1")
    return package


if __name__ == "__main__":
    content = Path(sys.argv[1]).read_text("utf-8")
    parsed = Graph().parse(data=content, format="json-ld")
    names = ("rdflib", "pyld", "ckanext-dcat", "ckanext-datajson")
    seen = {
        "versions": {name: version(name) for name in names},
        "rdflib": count_with_rdflib(parsed),
        "pyld": agrees_with_pyld(parsed, content),
        "ckanext-dcat": read_with_ckan(content),
        "ckanext-datajson": read_with_datajson(Path(sys.argv[2]).read_text("utf-8")),
    }
    json.dump(seen, sys.stdout)
