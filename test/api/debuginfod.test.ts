import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { debuginfodSettings } from '../../src/debuginfod/settings.js';
import { type AutofdoError, diagnoseBinary, generateProfile } from '../../src/index.js';
import { formatBytes } from '../../src/report/format.js';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-debuglink');
const debugFile = readFileSync(join(calc.binary, '../calc.debug'));

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
  vi.unstubAllEnvs();
});

/** Starts a server on the loopback. `asked` lists the paths that clients request. */
async function serve(answer: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Makes a program without its debug file, and a cache of its own. */
function programAlone(...urls: string[]): { job: Parameters<typeof generateProfile>[0]; cache: string } {
  const folder = mkdtempSync(join(temporary.path, 'alone-'));
  const binary = join(folder, 'calc');
  copyFileSync(calc.binary, binary);
  const cache = join(folder, 'cache');
  vi.stubEnv('DEBUGINFOD_URLS', urls.join(' '));
  vi.stubEnv('DEBUGINFOD_CACHE_PATH', cache);
  vi.stubEnv('DEBUGINFOD_TIMEOUT', '1');
  return { job: { binary, perfData: calc.perfData, format: 'text' }, cache };
}

const whole: RequestListener = (_, response) => response.end(debugFile);

/** Returns the error of a job that gets no debug file. The error must come before the test is out of time. */
async function failure(job: Parameters<typeof generateProfile>[0]): Promise<AutofdoError> {
  const error = await generateProfile(job).then(
    () => expect.fail('there is no debug information'),
    (error: AutofdoError) => error,
  );
  expect(error.code).toBe('NO_DEBUG_INFO');
  return error;
}

function files(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/'))
    : [];
}

describe('debug files from debuginfod servers', () => {
  it('are fetched once, by build id, and give the profile', async () => {
    const { url, asked } = await serve(whole);
    const { job, cache } = programAlone(`${url}/`);
    const there = await generateProfile({ ...job, binary: calc.binary, debuginfod: false });
    for (let run = 0; run < 2; run++) {
      const { bytes, diagnostics } = await generateProfile(job);
      expect(Buffer.from(bytes ?? [])).toEqual(Buffer.from(there.bytes ?? []));
      expect(bytes?.length).toBeGreaterThan(1000);
      const told = diagnostics.filter(({ code }) => code === 'debuginfod').map(({ message }) => message);
      expect(told).toEqual(run === 0 ? [expect.stringMatching(/ was fetched from http:\/\/127/)] : []);
    }
    expect(asked).toEqual([expect.stringMatching(/^\/buildid\/[0-9a-f]{40}\/debuginfo$/)]);
    expect(files(cache)).toEqual([`${asked[0]?.split('/')[2]}/debuginfo`]);
    const { facts, verdict } = await diagnoseBinary({ binary: job.binary as string });
    expect(facts.debugFile?.source).toBe('debuginfod');
    expect(verdict).toBe('good');
  });

  it('come from the first server that has them', async () => {
    const [none, hangs, has] = await Promise.all([
      serve((_, response) => response.writeHead(404).end()),
      serve(() => {}),
      serve(whole),
    ]);
    const { job } = programAlone(none.url, hangs.url, has.url);
    // The job would wait for the server that does not answer until the test is out of time.
    vi.stubEnv('DEBUGINFOD_TIMEOUT', '600');
    await expect(generateProfile(job)).resolves.toBeDefined();
  });

  it('are not requested if fetching is turned off, or if no file is missing', async () => {
    const { url, asked } = await serve(whole);
    const { job } = programAlone(url);
    await failure({ ...job, debuginfod: false });
    await generateProfile({ ...job, binary: calc.binary });
    await generateProfile({ ...job, compat: 'llvm-profgen' });
    vi.stubEnv('DEBUGINFOD_URLS', '');
    await failure(job);
    expect(asked).toEqual([]);
  });

  it('that no server has are missing, and the cache remembers that', async () => {
    const { url, asked } = await serve((_, response) => response.writeHead(404).end());
    const { job } = programAlone(url);
    expect((await failure(job)).hint).toContain(`${url} does not have it`);
    expect((await failure(job)).hint).toMatch(/no server had the debuginfo .* a few minutes ago/);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      'has another file',
      (_, response) => response.end(readFileSync(fixture('calc-gcc').binary)),
      /sent a file with build id/,
    ],
    ['has no ELF file', (_, response) => response.end('hello'), /sent a file with build id none/],
    ['never answers', () => {}, /less than 100 kB came within 1 s/],
    [
      'trickles',
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
      },
      /less than 100 kB came within 1 s/,
    ],
    [
      'breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': debugFile.length });
        response.write(debugFile.subarray(0, 1000), () => response.destroy());
      },
      /could not be fetched/,
    ],
    ['fails', (_, response) => response.writeHead(500).end(), /answered 500/],
  ])('are not used from a server that %s', async (_, answer, reason) => {
    const { url } = await serve(answer);
    const { job, cache } = programAlone(url);
    expect((await failure(job)).hint).toMatch(reason);
    expect(files(cache)).toEqual([]);
  });

  it('are not fetched from a server that does not exist', async () => {
    const { url } = await serve(whole);
    const { job, cache } = programAlone(url);
    await new Promise((resolve) => servers[0]?.close(resolve));
    expect((await failure(job)).hint).toMatch(/ECONNREFUSED/);
    expect(files(cache)).toEqual([]);
  });

  it('are refused above the size DEBUGINFOD_MAXSIZE', async () => {
    const [honest, silent] = await Promise.all([
      serve((_, response) => response.writeHead(200, { 'content-length': debugFile.length }).end(debugFile)),
      serve((_, response) => {
        response.write(debugFile.subarray(0, 2000));
        response.end(debugFile.subarray(2000));
      }),
    ]);
    for (const { url } of [honest, silent]) {
      const { job, cache } = programAlone(url);
      vi.stubEnv('DEBUGINFOD_MAXSIZE', '1000');
      const { hint } = await failure(job);
      // A server that tells the size of the file need not send it.
      const size = url === honest.url ? formatBytes(debugFile.length) : 'at least [\\d.]+ kB';
      expect(hint).toMatch(new RegExp(`it has ${size}, more than DEBUGINFOD_MAXSIZE`));
      expect(files(cache)).toEqual([]);
    }
  });

  it('need not be sent by a server that is told the largest size', async () => {
    const { url } = await serve(({ headers }, response) =>
      response.writeHead(Number(headers['x-debuginfod-maxsize']) < debugFile.length ? 406 : 200).end(),
    );
    const { job } = programAlone(url);
    vi.stubEnv('DEBUGINFOD_MAXSIZE', '1000');
    expect((await failure(job)).hint).toMatch(/answered 406/);
  });

  it('are given up after DEBUGINFOD_MAXTIME', async () => {
    const { url } = await serve(() => {});
    const { job, cache } = programAlone(url);
    vi.stubEnv('DEBUGINFOD_TIMEOUT', '0');
    vi.stubEnv('DEBUGINFOD_MAXTIME', '1');
    expect((await failure(job)).hint).toMatch(/longer than 1 s \(DEBUGINFOD_MAXTIME\)/);
    expect(files(cache)).toEqual([]);
  });

  it('are requested again from a server that fails, DEBUGINFOD_RETRY_LIMIT times', async () => {
    let failures = 2;
    const { url, asked } = await serve((_, response) => {
      if (failures-- > 0) response.writeHead(503).end();
      else response.end(debugFile);
    });
    const { job } = programAlone(url);
    expect((await generateProfile(job)).bytes?.length).toBeGreaterThan(1000);
    expect(asked).toHaveLength(3);

    failures = 2;
    const impatient = programAlone(url);
    vi.stubEnv('DEBUGINFOD_RETRY_LIMIT', '1');
    expect((await failure(impatient.job)).hint).toMatch(/answered 503/);
    expect(asked).toHaveLength(5);
  });

  it('are requested with the headers of DEBUGINFOD_HEADERS_FILE', async () => {
    const seen: unknown[] = [];
    const { url } = await serve((request, response) => {
      seen.push([request.headers['authorization'], request.headers['x-team']]);
      response.end(debugFile);
    });
    const { job } = programAlone(url);
    const headers = 'Authorization: Bearer a:b \n\nno header\nX-Team:profiles\n';
    vi.stubEnv('DEBUGINFOD_HEADERS_FILE', temporary.write('headers', headers));
    await generateProfile(job);
    expect(seen).toEqual([['Bearer a:b', 'profiles']]);
  });

  it('are not requested again within cache_miss_s', async () => {
    const { url, asked } = await serve((_, response) => response.writeHead(404).end());
    const { job, cache } = programAlone(url);
    mkdirSync(cache);
    writeFileSync(join(cache, 'cache_miss_s'), '0\n');
    for (let run = 0; run < 2; run++) expect((await failure(job)).hint).toContain('does not have it');
    expect(asked).toHaveLength(2);
  });

  it('are no longer fetched when the job is aborted', async () => {
    const { url } = await serve(() => {});
    const { job } = programAlone(url);
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 100);
    await expect(generateProfile({ ...job, signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('settings of debuginfod', () => {
  it("are those of elfutils' client", () => {
    const home = mkdtempSync(join(temporary.path, 'home-'));
    expect(debuginfodSettings({ HOME: home })).toBeUndefined();
    expect(debuginfodSettings({ HOME: home, DEBUGINFOD_URLS: ' ima:enforcing ' })).toBeUndefined();
    const urls = 'http://a.example/ https://b.example/x';
    expect(debuginfodSettings({ HOME: home, DEBUGINFOD_URLS: urls })).toEqual({
      ...{ urls: ['http://a.example', 'https://b.example/x'], timeout: 90, maxTime: 0, maxSize: 0 },
      ...{ retries: 2, headers: [], missSeconds: 600 },
      cache: join(home, '.cache/debuginfod_client'),
    });
    const all = {
      ...{
        DEBUGINFOD_URLS: urls,
        DEBUGINFOD_TIMEOUT: '5',
        DEBUGINFOD_MAXTIME: '60',
        DEBUGINFOD_MAXSIZE: '1000',
      },
      XDG_CACHE_HOME: '/xdg',
    };
    expect(debuginfodSettings(all)).toMatchObject({ timeout: 5, maxTime: 60, maxSize: 1000 });
    expect(debuginfodSettings(all)?.cache).toBe('/xdg/debuginfod_client');
    expect(debuginfodSettings({ ...all, DEBUGINFOD_CACHE_PATH: '/own' })?.cache).toBe('/own');
  });
});

describe('a setting of debuginfod that is not a plain number', () => {
  // Debian's debuginfod-find prints the same values (elfutils 0.188, DEBUGINFOD_VERBOSE=1).
  it.each([
    ['5s', 5],
    ['abc', 0],
    ['-3', 0],
    ['1e3', 1],
    [' 7', 7],
    ['', 0],
  ])('%j is %d', (text, value) => {
    const names = ['TIMEOUT', 'MAXTIME', 'MAXSIZE', 'RETRY_LIMIT'].map((name) => `DEBUGINFOD_${name}`);
    const env = Object.fromEntries(names.map((name) => [name, text]));
    const settings = debuginfodSettings({ HOME: '/nowhere', DEBUGINFOD_URLS: 'http://a.example', ...env });
    expect(settings).toMatchObject({ timeout: value, maxTime: value, maxSize: value, retries: value });
  });
});

describe('binaries of a folder', () => {
  it('get their debug files from a server, alone and with other binaries', async () => {
    const { url, asked } = await serve(whole);
    const complete = await generateProfile({ binary: calc.binary, perfData: calc.perfData, format: 'text' });
    for (const others of [[], [fixture('calc-gcc')]]) {
      const { job } = programAlone(url);
      const { binary, ...rest } = job;
      const folder = dirname(String(binary));
      const perfData = [calc, ...others].map(({ perfData }) => perfData);
      for (const other of others) copyFileSync(other.binary, join(folder, 'other'));
      const { binaries, diagnostics } = await generateProfile({ ...rest, perfData, binaryDir: folder });
      const found = binaries.find(({ path }) => path === binary);
      expect(Buffer.from(found?.bytes ?? [])).toEqual(Buffer.from(complete.bytes ?? []));
      expect(binaries).toHaveLength(1 + others.length);
      expect(diagnostics).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/^debuginfo of .* was fetched from http/) }),
      );
    }
    expect(asked).toHaveLength(2);
  });

  it('are not read again if no server has a missing file', async () => {
    const { url, asked } = await serve((_, response) => response.writeHead(404).end());
    const { job } = programAlone(url);
    const { binary, ...rest } = job;
    const error = await failure({ ...rest, binaryDir: dirname(String(binary)) });
    expect(error.hint).toContain(`${url} does not have it`);
    expect(asked).toHaveLength(1);
  });
});

describe('executables from debuginfod servers', () => {
  const files = fixture('calc-debuglink');
  const serving: RequestListener = ({ url }, response) => {
    const kind = /^\/buildid\/[0-9a-f]{40}\/(executable|debuginfo)$/.exec(url ?? '')?.[1];
    if (kind === undefined) response.writeHead(404).end();
    else response.end(kind === 'executable' ? readFileSync(files.binary) : debugFile);
  };

  /**
   * Returns the names of the binaries with a profile, and the diagnostics. This machine may have some of the
   * libraries.
   */
  async function profileAll({ binary: _, ...job }: Parameters<typeof generateProfile>[0], debuginfod = true) {
    return generateProfile({ ...job, allBinaries: true, debuginfod }).then(
      ({ binaries, diagnostics }) => ({
        names: binaries.map(({ name }) => name),
        told: diagnostics.map(({ message }) => message).join('\n'),
      }),
      (error: AutofdoError) => ({ names: [], told: error.hint }),
    );
  }

  it('are fetched, with their debug files, for all mapped files that are missing', async () => {
    const { url, asked } = await serve(serving);
    const { job, cache } = programAlone(url);
    const whole = await generateProfile({ ...job, binary: files.binary, debuginfod: false });
    const { binary: _, ...mapped } = job;
    const { binaries, diagnostics } = await generateProfile({ ...mapped, allBinaries: true });
    const calc = binaries.find(({ name }) => name === 'calc');
    expect(calc?.path).toMatch(new RegExp(`^${cache}/[0-9a-f]{40}/executable$`));
    expect(Buffer.from(calc?.bytes ?? [])).toEqual(Buffer.from(whole.bytes ?? []));
    const kinds = asked.map((path) => path.split('/')[3]);
    expect(kinds).toEqual(expect.arrayContaining(['executable', 'debuginfo']));
    expect(diagnostics.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^executable of build id .* was fetched from http/),
    );
    await generateProfile({ ...mapped, allBinaries: true });
    expect(asked.filter((path) => path === `/buildid/${calc?.buildId}/executable`)).toHaveLength(1);
  });

  it('are not fetched if only named binaries are profiled, or if fetching is turned off', async () => {
    const { url, asked } = await serve(serving);
    const { job } = programAlone(url);
    await generateProfile(job);
    expect(asked).toEqual([expect.stringMatching(/debuginfo$/)]);
    const found = await profileAll(job, false);
    expect(found.names).not.toContain('calc');
    expect(asked).toHaveLength(1);
  });

  it('are not used if the server sent another program', async () => {
    const { url } = await serve((_, response) => response.end(readFileSync(fixture('calc-gcc').binary)));
    const { job } = programAlone(url);
    const found = await profileAll(job);
    expect(found.names).not.toContain('calc');
    expect(found.told).toMatch(/sent a file with build id/);
  });
});
