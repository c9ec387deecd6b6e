"""HTTP endpoints: one module per collection, and one for each other group of paths.

- `record`: `/v1/record`, the whole record
- `search`: `/v1/search`
- `meta`: `/v1` and `/v1/meta`, index and metadata
- `root`: `/`, the record page as HTML for browsers, the index as JSON otherwise
- `exports`: `/v1/exports`, `/data.json` and `/data-3.0.json`
- `docs`, `openapi`, `problems`: the guide, the OpenAPI document, the error types
- `discovery`: API catalog, robots.txt, sitemap, icons and link preview image
- `health`: `/healthz` and `/readyz`

The other modules are what these share.
"""
