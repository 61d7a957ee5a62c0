# One image with the server, the browser client in it, and ffmpeg beside it. Media needs the machine's own address, so run it with
# --network host; or publish the ports below under the same numbers, and add --public-ip to the command.
FROM node:22-bookworm-slim AS client
WORKDIR /src/static
COPY static/package.json static/package-lock.json static/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY static/ ./
RUN npm run build

FROM golang:1.26-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=client /src/static/dist static/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /pausepoint ./cmd/pausepoint

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /data pausepoint
COPY --from=server /pausepoint /usr/local/bin/pausepoint
USER pausepoint
VOLUME /data
EXPOSE 8080/tcp 7882/udp 7882/tcp
ENTRYPOINT ["pausepoint"]
CMD ["serve", "--data", "/data"]
