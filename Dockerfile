# One image with the server, the browser client in it, and ffmpeg beside it. compose.yaml runs it; media needs ports under their
# own numbers, or --network host.
FROM node:22-bookworm-slim AS client
WORKDIR /src/static
COPY static/package.json static/package-lock.json static/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY static/ ./
RUN npm run build

FROM golang:1.26-bookworm AS source
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN go mod download
COPY . .

FROM source AS server
COPY --from=client /src/static/dist static/dist
RUN go build -trimpath -ldflags "-s -w" -o /out/pausepoint ./cmd/pausepoint

# An S3 server, for who has none: deploy/compose.nodes.yaml starts it, with a bucket in it. The image pausepoint does not have it.
FROM source AS s3-server
RUN go build -modfile=tools/s3.mod -trimpath -ldflags "-s -w" -o /out/versitygw github.com/versity/versitygw/cmd/versitygw

FROM debian:bookworm-slim AS s3
COPY --from=s3-server /out/versitygw /usr/local/bin/versitygw
RUN useradd --system --uid 10001 --create-home --home-dir /s3 s3 && mkdir -p /s3/files/pausepoint /s3/meta && chown -R s3 /s3
USER 10001
VOLUME /s3
EXPOSE 7070/tcp
ENTRYPOINT ["versitygw"]
CMD ["--port", ":7070", "posix", "--sidecar", "/s3/meta", "/s3/files"]

FROM debian:bookworm-slim AS pausepoint
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /data pausepoint
COPY --from=server /out/pausepoint /usr/local/bin/pausepoint
USER 10001
VOLUME /data
EXPOSE 8080/tcp 7882/udp 7882/tcp
ENTRYPOINT ["pausepoint"]
CMD ["serve", "--data", "/data"]
