# The product (target "juanku") and, because its makers publish no more images, MinIO from source (target "minio").
# Nothing secret goes in: no build argument, no file of .dockerignore.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/juanku
COPY requirements-house.lock /
RUN /opt/juanku/bin/pip install --require-hashes --only-binary :all: -r /requirements-house.lock


FROM python:3.11-slim-bookworm AS juanku
# OFFICE=on adds LibreOffice and a Chinese font, for Office documents as printed (some 700 MB).
ARG OFFICE=off
# All else that the product needs, libmagic and the models of RapidOCR too, comes with the lock file.
RUN if [ "$OFFICE" = on ]; then \
      apt-get update -q \
      && apt-get install -y -q --no-install-recommends fonts-noto-cjk \
        libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui \
      && rm -rf /var/lib/apt/lists/*; \
    fi
RUN groupadd --gid 10001 juanku \
 && useradd --uid 10001 --gid juanku --no-create-home --home-dir /tmp --shell /usr/sbin/nologin juanku \
 && install -d -o juanku -g juanku -m 0700 /var/lib/juanku /var/lib/juanku.keys /backup
COPY --from=packages /opt/juanku /opt/juanku
WORKDIR /srv/juanku
COPY alembic.ini pyproject.toml LICENSE ./
COPY archive archive
COPY storage storage
COPY indexer indexer
COPY retention retention
COPY web web
COPY runtime runtime
COPY migrations migrations
COPY docs docs
RUN /opt/juanku/bin/python -m compileall -q archive storage indexer retention web runtime migrations \
 && printf '#!/bin/sh\nexec /opt/juanku/bin/python -m runtime "$@"\n' > /usr/local/bin/juanku \
 && chmod 0755 /usr/local/bin/juanku
ENV PATH=/opt/juanku/bin:$PATH PYTHONPATH=/srv/juanku PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8 HOME=/tmp LOGNAME=juanku \
    JUANKU_HOME=/var/lib/juanku JUANKU_KEYS=/var/lib/juanku.keys
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 CMD ["python", "-m", "runtime.processes.alive", "web"]
ENTRYPOINT ["juanku"]
CMD ["web"]


FROM golang:1.26-bookworm AS minio-source
# The version that the product is tested against.
ARG MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 GOFLAGS=-mod=mod GOBIN=/out go install github.com/minio/minio@${MINIO}


FROM alpine:3.22 AS minio
COPY --from=minio-source /out/minio /usr/local/bin/minio
COPY --from=minio-source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 10001:10001
EXPOSE 9000
HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9000/minio/health/ready"]
ENTRYPOINT ["minio"]
