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

# ffmpeg from Debian's sources, with its corrections. Debian's own package brings 200 libraries, 450 MB; of foreign libraries the
# server needs those below alone. Every decoder of ffmpeg's own is in it, since people upload whatever they have; no network
# is. To add a library: its -dev package and --enable here, the library itself in the last stage, which does not build without it.
FROM debian:bookworm-slim AS ffmpeg
WORKDIR /src
RUN sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources \
 && apt-get update \
 && apt-get install -y --no-install-recommends build-essential nasm pkg-config \
    libass-dev libbz2-dev libdav1d-dev libfreetype-dev libx264-dev libzimg-dev zlib1g-dev \
 && apt-get source ffmpeg
RUN cd ffmpeg-* \
 && ./configure --toolchain=hardened --enable-gpl --enable-shared --disable-static --disable-debug --disable-doc \
    --disable-autodetect --disable-avdevice --disable-ffplay --disable-network --disable-postproc \
    --enable-bzlib --enable-libass --enable-libdav1d --enable-libfreetype --enable-libx264 --enable-libzimg --enable-zlib \
 && make -j "$(nproc)" \
 && make install-progs install-libs DESTDIR=/out \
 && install -D -m 644 debian/copyright /out/usr/local/share/doc/ffmpeg/copyright

FROM debian:bookworm-slim AS pausepoint
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates fonts-dejavu-core libass9 libdav1d6 libx264-164 libzimg2 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /data pausepoint
COPY --from=ffmpeg /out /
RUN ldconfig \
 && ffmpeg -v error -filter_complex 'testsrc2=d=1,zscale=320:180[v];sine=d=1[a]' -map '[v]' -map '[a]' \
    -c:v libx264 -c:a aac -f matroska pipe:1 | ffprobe -v error -
COPY --from=server /out/pausepoint /usr/local/bin/pausepoint
USER 10001
VOLUME /data
EXPOSE 8080/tcp 7882/udp 7882/tcp
ENTRYPOINT ["pausepoint"]
CMD ["serve", "--data", "/data"]
