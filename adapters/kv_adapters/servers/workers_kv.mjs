// Workers KV on this machine: `node workers_kv.mjs NODE_MODULES PORT NAMESPACE`.
//
// Miniflare runs workerd, the server of Cloudflare's own, with one namespace and the worker that
// lies beside this file; what it holds is gone when it ends.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [modules, port, name] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));
const load = createRequire(`${modules}/`);
const { Miniflare } = load("miniflare");

// workerd would outlive a process that is killed; where the system can, it is told to die with it.
const program = createRequire(load.resolve("miniflare"))("workerd").default;
process.env.MINIFLARE_WORKERD_PATH = `${here}workerd`;
writeFileSync(
  process.env.MINIFLARE_WORKERD_PATH,
  `#!/bin/sh
command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL '${program}' "$@"
exec '${program}' "$@"
`,
  { mode: 0o755 },
);

const server = new Miniflare({
  host: "127.0.0.1",
  port: Number(port),
  modules: true,
  modulesRoot: here,
  scriptPath: `${here}workers_kv_rest.mjs`,
  kvNamespaces: { NAMESPACE: name },
  bindings: { NAME: name },
  compatibilityDate: "2025-01-01",
  cf: false, // it would ask the network where it is
});
process.once("SIGTERM", () => server.dispose().finally(() => process.exit(0)));
await server.ready;
