# One image for every process; the command says which. Built from the same hashes as ./run.
FROM python:3.11-slim

RUN useradd --system --create-home --home-dir /var/lib/tierlink tierlink
WORKDIR /srv/tierlink

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY schemas schemas
COPY linkage linkage
COPY connectors connectors
COPY streams streams
COPY ops ops
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

USER tierlink
WORKDIR /var/lib/tierlink
VOLUME /var/lib/tierlink
ENTRYPOINT ["tierlink"]
CMD ["--help"]
