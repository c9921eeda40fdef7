# The service as an image. It needs the engine's socket and a token, since inside a container it listens on all addresses:
#
#   docker run -d -v /var/run/docker.sock:/var/run/docker.sock -v subjectd-data:/data \
#     -e SUBJECTD_TOKEN=… -p 127.0.0.1:8080:8080 subjectd/subjectd:dev
#
# `npm test` builds it from a folder where modules and dist/ are already assembled. From a plain checkout, with a package registry at
# hand: `docker build --build-arg BASE=node:20-slim -t subjectd/subjectd:dev .` A CA certificate that the registry needs can lie in the
# checkout as extra-ca.crt; it does not reach the image.
ARG BASE=subjectd/node:20

FROM ${BASE} AS assembled
WORKDIR /app
COPY . .
RUN if [ ! -d node_modules ]; then \
      if [ -f extra-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/extra-ca.crt; fi; \
      npm ci --ignore-scripts && npm run build && npm prune --omit=dev --ignore-scripts; \
    fi

FROM ${BASE}
WORKDIR /app
COPY --from=assembled /app/node_modules ./node_modules
COPY --from=assembled /app/package.json ./
COPY --from=assembled /app/openapi ./openapi
COPY --from=assembled /app/subjects ./subjects
COPY --from=assembled /app/dist ./dist
ENV NODE_ENV=production \
    SUBJECTD_HOST=0.0.0.0 \
    SUBJECTD_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SUBJECTD_PORT || 8080}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=2", "/app/dist/src/main.js"]
