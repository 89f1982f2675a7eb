import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../files.mjs';

/** Time in milliseconds within which the registry must answer. */
const START_LIMIT = 60_000;

/**
 * Starts verdaccio on the loopback. It serves the packages that are published into it, and gets all other packages
 * from the registry that npm uses.
 * @param {string} tools Folder of node_modules that has verdaccio.
 * @param {string} folder Folder for its files.
 */
export async function startRegistry(tools, folder) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  mkdirSync(folder, { recursive: true });
  const upstream = run('npm', ['config', 'get', 'registry']).trim();
  writeFileSync(
    join(folder, 'config.yaml'),
    `storage: ${join(folder, 'storage')}
auth:
  htpasswd: { file: ${join(folder, 'htpasswd')} }
uplinks:
  upstream: { url: '${upstream}' }
packages:
  '@autofdo-gen/*': { access: $all, publish: $all }
  autofdo-gen: { access: $all, publish: $all }
  '**': { access: $all, proxy: upstream }
max_body_size: 100mb
log: { type: stdout, format: pretty, level: warn }
`,
  );
  const args = [
    join(tools, 'verdaccio/bin/verdaccio'),
    '--config',
    join(folder, 'config.yaml'),
    '--listen',
    url,
  ];
  const server = spawn(join(tools, 'node-24/bin/node'), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const stop = () => server.kill();
  try {
    await Promise.race([answers(`${url}-/ping`), ended(server)]);
  } catch (error) {
    stop();
    throw error;
  }
  return { url, stop };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** @returns {Promise<never>} */
function ended(/** @type {import('node:child_process').ChildProcess} */ server) {
  return new Promise((_, reject) => {
    server.on('error', reject);
    server.on('exit', (status) => reject(new Error(`the registry ended with ${status}`)));
  });
}

async function answers(/** @type {string} */ url) {
  for (const start = Date.now(); Date.now() - start < START_LIMIT; await sleep(100)) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // The registry does not listen yet.
    }
  }
  throw new Error(`the registry did not answer within ${START_LIMIT / 1000} s`);
}
