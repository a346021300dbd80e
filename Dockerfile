# One image for name server, broker and tools. Nothing in it is compiled for a processor: any platform of the base will do.
#
#   docker build -t ringmq .
#   docker run -d --name rmqnamesrv -p 9876:9876 ringmq sh mqnamesrv
#   docker run -d --name rmqbroker --link rmqnamesrv:namesrv -e NAMESRV_ADDR=namesrv:9876 -p 10911:10911 -p 10909:10909 ringmq sh mqbroker
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/bundle.ts && npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:26-slim
# As in Apache's image, so that its volumes keep their owner.
RUN groupadd --gid 3000 rocketmq && useradd --uid 3000 --gid 3000 --create-home rocketmq
WORKDIR /home/rocketmq/ringmq
COPY --from=build /build/package.json /build/LICENSE ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/.cache/program .cache/program
RUN mkdir -p .cache/node /home/rocketmq/store /home/rocketmq/logs && chown -R rocketmq:rocketmq .cache /home/rocketmq/store /home/rocketmq/logs
USER rocketmq
# What Node compiles is kept in the image: the first start of a container is as quick as every later one.
RUN NODE_COMPILE_CACHE=/home/rocketmq/ringmq/.cache/node node .cache/program/scripts/warm-start.js
WORKDIR /home/rocketmq/ringmq/bin
EXPOSE 9876 10909 10911 10912
VOLUME /home/rocketmq/store
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["sh", "health"]
ENTRYPOINT ["sh", "docker-entrypoint.sh"]
CMD []
