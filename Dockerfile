# One image, four programs: the API (by default), the migrations, platform:init and ledger:export (README, "In a container").
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No dependency's install script runs: what this build needs, it makes itself below.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY libs libs
COPY apps apps
# The Prisma CLI and TypeScript are optional peers of what stays: with --omit=dev alone, 250 MB of tools would stay with it.
RUN npm run build \
 && npm prune --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund \
 && rm -rf dist/apps/local dist/libs/embedded dist/prisma

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json LICENSE ./
COPY docs/errors.md docs/
COPY prisma/migrations prisma/migrations
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# Nothing here belongs to this user, and nothing is ever written.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# A heap that is collected early: it stays under 250 MB resident under load. Without pretenuring: after a burst of slow requests V8 would make
# some of each later request's objects old at once, and whatever they point to lives on with them (docs/benchmarks.md).
CMD ["node", "--max-old-space-size=512", "--max-semi-space-size=32", "--no-allocation-site-pretenuring", "dist/apps/api/src/main.js"]
