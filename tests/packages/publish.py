"""Publish a Data Package to an SQLite database with frictionless: publish.py PACKAGE DATABASE."""

import sys

from frictionless import Package

package, database = sys.argv[1:]
Package(package).publish(f"sqlite:///{database}")
