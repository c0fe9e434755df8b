# The course in a container: Lab, the command line and a rendered book. book/how-to-use.md says how to start it.
# The image that dependabot renews; the libraries are those of requirements.lock, with their hashes.
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 leukobook
USER leukobook
WORKDIR /home/leukobook/course

# Before the rest, so that a change of a page installs nothing again.
COPY --chown=leukobook requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY --chown=leukobook . .
RUN .venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps --editable . \
    && touch .venv/ready

ENV PATH=/home/leukobook/course/.venv/bin:$PATH
RUN make book

EXPOSE 8888
# Within the container every address, because Docker's own port leads there; publish it at 127.0.0.1 only.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb"]
