"""Programs for aid data and catalogs, run on the exports."""
