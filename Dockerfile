# canreach in a container:
#   docker build -t canreach .
#   docker run --rm -v "$PWD:/lab:ro" canreach check
FROM rust:1.95-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libz3-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo install --locked --path . --root /opt/canreach

FROM debian:trixie-slim
# git is for `canreach diff` of revisions.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git libz3-4 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/canreach/bin/canreach /usr/local/bin/canreach
ENV LANG=C.UTF-8
# The mounted repository belongs to somebody else than the user below, which git takes for a trap.
ENV GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
USER 65534:65534
WORKDIR /lab
ENTRYPOINT ["canreach"]
CMD ["check"]
