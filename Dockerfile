# The server with the compiled record. It also runs with a read-only root file system:
#   docker build --tag cpc-record .
#   docker run --read-only --cap-drop all --publish 127.0.0.1:8000:8000 cpc-record

FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/opt/venv/bin/python \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1

# The base image's pip installs into the environment, so the environment itself has no pip.
RUN ["python", "-m", "venv", "--without-pip", "/opt/venv"]

WORKDIR /src
COPY requirements.txt ./
RUN ["pip", "install", "--no-compile", "--require-hashes", "--requirement", "requirements.txt"]

COPY CHANGELOG.md LICENSE README.md pyproject.toml ./
COPY docs docs
COPY app app
# Files in an image never change, so bytecode is not checked against its source.
RUN pip install --no-compile --no-deps --no-build-isolation . \
    && pip uninstall --yes flit-core \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib


# Compiled with the installed package: an archive built by other code would be rebuilt at startup.
# pyarrow, which writes the Parquet files, is only installed here: serving them does not need it.
FROM build AS record

COPY requirements-parquet.txt ./
RUN ["pip", "install", "--no-compile", "--require-hashes", "--requirement", "requirements-parquet.txt"]

WORKDIR /srv/data
COPY data/seed.json data/regions.geojson ./
COPY data/releases releases
RUN SEED_FILE=/srv/data/seed.json ARCHIVE_FILE=/srv/data/archive.sqlite \
    sh -c '/opt/venv/bin/cpc-record build && /opt/venv/bin/cpc-record verify'


FROM python:3.13-slim

LABEL org.opencontainers.image.title="cpc-record" \
      org.opencontainers.image.description="A read-only, versioned JSON API for one archived program record" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"

COPY --from=build /opt/venv /opt/venv
COPY --from=record /srv/data /srv/data

ENV PATH=/opt/venv/bin:$PATH \
    SEED_FILE=/srv/data/seed.json \
    ARCHIVE_FILE=/srv/data/archive.sqlite \
    HOST=0.0.0.0 \
    PORT=8000

# The server installs nothing, so pip is removed. The base image has no bytecode of the standard
# library: importing the application once writes it, so that no start has to compile it again.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip \
        /usr/local/lib/python3*/site-packages/pip* \
    && python -c "import app.cli, app.server.connections, app.main, uvicorn.loops.auto"

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /srv
USER 10001:10001
EXPOSE 8000

# Bypasses any proxy configured in the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=3)"]

ENTRYPOINT ["cpc-record"]
CMD ["serve"]
