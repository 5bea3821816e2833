# One image for web, worker, beat and migrations; what it does is the command's choice (see docker-compose.yml).

# With a digest it stays what it is: see "Images by digest" in docs/deploy.md.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && /opt/venv/bin/python -m pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent administrate
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
# Production settings refuse to start without secrets: these live for this one command and are in no layer's files.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    ENCRYPTION_KEYS="$(python -c 'import secrets; print(secrets.token_urlsafe(32) + "=")')" \
    DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
    python manage.py collectstatic --no-input
# By number, so that a platform that insists on non-root users can tell.
USER 10001
EXPOSE 8000
# One more worker than there are cores of an ordinary small machine; WEB_CONCURRENCY changes it.
ENV WEB_CONCURRENCY=3
# All else is in gunicorn.conf.py. Administrate writes nothing but what lies in /tmp and /dev/shm.
CMD ["gunicorn", "administrate.wsgi", "--bind", "0.0.0.0:8000"]
