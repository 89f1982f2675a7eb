import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collectTraces, generateProfile, inspectTraces } from '../../src/index.js';
import { asPipe } from '../support/as-pipe.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { MAIN, runCli, untilItReads } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const expected = readFileSync(fixturePath(calc, 'expected.afdo'));
/** Returns the files in a folder, which may not exist yet. */
const list = (folder: string) => {
  const path = join(temporary.path, folder);
  return existsSync(path) ? readdirSync(path) : [];
};
const run = (...args: string[]) => runCli(args, { cwd: temporary.path });
const shards = (folder: string) =>
  list(folder)
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(temporary.path, folder, name));

/** Starts a collection of a recording that arrives slowly, in pieces. */
function collectSlowly(folder: string, ...flags: string[]) {
  const args = [MAIN, 'collect', '--perfdata', '-', '-o', folder, ...flags];
  const child = spawn(process.execPath, args, { cwd: temporary.path, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const bytes = asPipe(readFileSync(calc.perfData));
  const piece = Math.ceil(bytes.length / 80);
  /** Feeds pieces from when the program reads on, until `isEnough`, or until `pieces` of 80 pieces are written. */
  const feed = async (isEnough = () => false, pieces = 80) => {
    await untilItReads(child.pid);
    for (let at = 0; at < pieces * piece && !isEnough(); at += piece) {
      child.stdin.write(bytes.subarray(at, at + piece));
      await sleep(100);
    }
  };
  return { child, ended, feed };
}

describe('autofdo-gen collect', () => {
  it('writes a file that gives the profile of the recording', async () => {
    const collected = await run('collect', '--perfdata', calc.perfData, '-o', 'a.parquet', '--json');
    expect(collected.status).toBe(0);
    const { shards: written, ledger } = JSON.parse(collected.stdout.toString());
    expect(written).toMatchObject([
      { path: 'a.parquet', size: statSync(join(temporary.path, 'a.parquet')).size },
    ]);
    expect(ledger).toContainEqual({ name: 'entries', count: 14848 });
    const args = ['--binary', calc.binary, '--traces', 'a.parquet', '-o', 'a.afdo'];
    expect(await run(...args)).toMatchObject({ status: 0 });
    expect(readFileSync(join(temporary.path, 'a.afdo')).equals(expected)).toBe(true);
    const described = await run('inspect', 'a.parquet');
    expect(described.stdout.toString()).toMatch(/^traces +1,213 rows in 2 groups, schema 4$/m);
    expect(described.stdout.toString()).toMatch(/^user +\/tmp\/autofdo-fixture\/calc \(0645410a/m);
    expect(described.stdout.toString()).not.toMatch(/^host/m);
  });

  it('collects sampled addresses, whose profile is the same as from the recording', async () => {
    const flags = ['--samples=addresses', '-o', 'addresses.parquet'];
    const collected = await run('collect', '--perfdata', calc.perfData, ...flags);
    expect(collected.status).toBe(0);
    expect(collected.stderr).toMatch(/^ +464 addresses$/m);
    const { binaries, ledger, schemaVersion } = await inspectTraces(
      join(temporary.path, 'addresses.parquet'),
    );
    expect(schemaVersion).toBe(4);
    expect(binaries.map(({ count }) => count)).toEqual(binaries.map(() => 0n));
    expect(binaries[0]?.addresses).toBeGreaterThan(300n);
    expect(ledger).toContainEqual({ name: 'addresses', count: 464n });
    const described = await run('inspect', 'addresses.parquet');
    expect(described.stdout.toString()).toMatch(/^event .* sampled addresses in these files$/m);
    const profile = async (...input: string[]) => {
      const args = ['--binary', calc.binary, '--samples=addresses', '-o', 'by-addresses.afdo', ...input];
      expect(await run(...args)).toMatchObject({ status: 0 });
      return readFileSync(join(temporary.path, 'by-addresses.afdo'));
    };
    const recorded = await profile('--perfdata', calc.perfData);
    expect(recorded.equals(await profile('--traces', 'addresses.parquet'))).toBe(true);
  });

  it('names the host only if it is told to', async () => {
    const options = { perfData: calc.perfData, output: join(temporary.path, 'h.parquet') };
    await collectTraces(options);
    const without = await inspectTraces(options.output);
    expect(without).toMatchObject({
      host: undefined,
      schemaVersion: 4,
      tool: expect.stringMatching(/^autofdo-gen /),
    });
    await collectTraces({ ...options, host: true });
    const { hostname } = JSON.parse(
      (await run('inspect', calc.perfData, '--json')).stdout.toString(),
    ).machine;
    expect((await inspectTraces(options.output)).host).toBe(hostname);
  });

  it('finishes a file of a stream at its time limit, and loses no branch', async () => {
    const { child, ended, feed } = collectSlowly('slow', '--rotate', '1s', '-q');
    await feed();
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(shards('slow').length).toBeGreaterThan(1);
    const { bytes } = await generateProfile({ binary: calc.binary, traces: join(temporary.path, 'slow') });
    expect(expected.equals(bytes ?? Buffer.of())).toBe(true);
  }, 30_000);

  it('writes no empty file after one that has become large enough', async () => {
    const flags = ['-o', 'sized', '--rotate', '1KB', '-q'];
    expect(await run('collect', '--perfdata', calc.perfData, ...flags)).toMatchObject({ status: 0 });
    expect(list('sized')).toEqual([expect.stringMatching(/^traces-.*\.parquet$/)]);
    const { bytes } = await generateProfile({ binary: calc.binary, traces: join(temporary.path, 'sized') });
    expect(expected.equals(bytes ?? Buffer.of())).toBe(true);
  });

  it('leaves only complete files when it is killed', async () => {
    const { child, ended, feed } = collectSlowly('killed', '--rotate', '1s', '-q');
    // The file that is open has a name that no glob for shards matches.
    const open = () => list('killed').filter((name) => name.startsWith('.autofdo-gen-'));
    await feed(() => shards('killed').length >= 2 && open().length === 1);
    child.kill('SIGKILL');
    await ended;
    expect(shards('killed').length).toBeGreaterThanOrEqual(2);
    for (const path of shards('killed')) expect((await inspectTraces(path)).rows).toBeGreaterThan(0);
    expect(open()).toHaveLength(1);
  }, 30_000);

  it.each<[NodeJS.Signals, string[]]>([
    ['SIGINT', []],
    ['SIGTERM', []],
    ['SIGTERM', ['--rotate', '1h']],
  ])(
    'gets %s while it reads a stream, and finishes the open file %j',
    async (signal, flags) => {
      const folder = `stopped-${signal}${flags.length}`;
      const { child, ended, feed } = collectSlowly(folder, ...flags, '-q');
      await feed(undefined, 60);
      child.kill(signal);
      expect(await ended).toBe(130);
      expect(list(folder)).toEqual([expect.stringMatching(/^traces-.*\.parquet$/)]);
      const [path = ''] = shards(folder);
      const { ledger } = await inspectTraces(path);
      const entries = ledger.find(({ name }) => name === 'entries')?.count ?? 0n;
      expect(entries).toBeGreaterThan(1000n);
      expect(entries).toBeLessThanOrEqual(14848n);
    },
    30_000,
  );

  it('leaves only complete files when it is killed at any moment', async () => {
    const killed = Array.from({ length: 5 }, async (_, index) => {
      const folder = `killed-${index}`;
      const { child, ended, feed } = collectSlowly(folder, '--rotate', '1s', '-q');
      const delay = Math.random() * 4000;
      const timer = setTimeout(() => child.kill('SIGKILL'), delay);
      child.stdin.on('error', () => {});
      // The program may be killed before it reads.
      await feed().catch(() => {});
      child.stdin.end();
      await ended;
      clearTimeout(timer);
      for (const path of shards(folder)) {
        expect((await inspectTraces(path)).rows, `killed after ${delay} ms`).toBeGreaterThan(0);
      }
    });
    await Promise.all(killed);
  }, 60_000);

  it('reports that the folder cannot be written before it reads a stream', async () => {
    const folder = join(temporary.path, 'read-only');
    mkdirSync(folder, { mode: 0o555 });
    // Permissions do not bind root, unless root gives up that right.
    const bound = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : [];
    const [program = '', ...args] = [
      ...bound,
      process.execPath,
      MAIN,
      'collect',
      '--perfdata',
      '-',
      '-o',
      folder,
    ];
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    const said: Buffer[] = [];
    child.stderr.on('data', (data: Buffer) => said.push(data));
    // The test writes nothing to the stream, and does not close it.
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(Buffer.concat(said).toString()).toMatch(/^error: cannot write .*read-only.*: permission denied/i);
    expect(status).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  /** True if a small file system can be mounted. */
  const mounts = spawnSync('unshare', ['-m', 'true']).status === 0;
  it.skipIf(!mounts)('loses only the open file on a full disk', () => {
    const disk = join(temporary.path, 'disk');
    mkdirSync(disk);
    const line = `mount -t tmpfs -o size=8k none "$1" && shift && { "$@"; status=$?; ls -A "$0"; exit $status; }`;
    const args = [process.execPath, MAIN, 'collect', '--perfdata', calc.perfData, '-o', disk];
    const done = spawnSync('unshare', ['-m', 'bash', '-c', line, disk, disk, ...args], { encoding: 'utf8' });
    expect(done.stderr).toMatch(/^error: cannot write .*\.parquet: no space left on device/i);
    expect(done.status).toBe(1);
    expect(done.stdout).toBe('');
  });

  it('loses only the open file if there is no space left', async () => {
    mkdirSync(join(temporary.path, 'full'));
    const line = `trap '' XFSZ; ulimit -f 4; exec "$@"`;
    const args = [process.execPath, MAIN, 'collect', '--perfdata', calc.perfData, '-o', 'full'];
    const done = spawnSync('bash', ['-c', line, 'bash', ...args], { cwd: temporary.path, encoding: 'utf8' });
    expect(done.stderr).toMatch(/^error: cannot write full\/traces-\d+-[0-9a-f]+\.parquet: /);
    expect(done.status).toBe(1);
    expect(readdirSync(join(temporary.path, 'full'))).toEqual([]);
  });

  it('shares a folder with another collection', async () => {
    const args = ['collect', '--perfdata', calc.perfData, '-o', 'shared', '-q'];
    const both = await Promise.all([run(...args), run(...args)]);
    expect(both).toMatchObject([{ status: 0 }, { status: 0 }]);
    expect(shards('shared')).toHaveLength(2);
    const of = (traces: string) => generateProfile({ binary: calc.binary, traces, format: 'text' });
    const together = await of(join(temporary.path, 'shared'));
    const alone = await of(shards('shared')[0] ?? '');
    expect(together.statistics.branchEntries).toBe(2n * alone.statistics.branchEntries);
  });

  it('reports that a folder cannot be made before it collects', async () => {
    temporary.write('file', '');
    const { status, stderr } = await run('collect', '--perfdata', calc.perfData, '-o', 'file/folder');
    expect(stderr).toMatch(/^error: cannot .*file\/folder/);
    expect(status).toBe(1);
  });

  it.each<[string, string[], RegExp]>([
    ['no recording', ['-o', 'x.parquet'], /no recording was given/],
    ['no output', ['--perfdata', 'x'], /no output was given/],
    ['stdout', ['--perfdata', 'x', '-o', '-'], /traces cannot go to stdout/],
    ['a wrong time', ['--perfdata', 'x', '-o', 'd', '--rotate', '10M'], /--rotate is '10M'/],
    [
      'several files in one',
      ['--perfdata', 'x', '-o', 'x.parquet', '--rotate', '10m'],
      /writes several files/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const { status, stderr } = await run('collect', ...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('never writes over its recording', async () => {
    temporary.write('mine.parquet', readFileSync(calc.perfData));
    const { status, stderr } = await run('collect', '--perfdata', 'mine.parquet', '-o', 'mine.parquet');
    expect(stderr).toMatch(/is an input; the result would overwrite it/);
    expect(status).toBe(2);
    expect(readFileSync(join(temporary.path, 'mine.parquet')).equals(readFileSync(calc.perfData))).toBe(true);
  });
});

describe('--traces', () => {
  const generate = (...args: string[]) => run('--binary', calc.binary, '-o', 'x.afdo', ...args);

  it.each<[string, string[], RegExp]>([
    ['processes', ['--pid', '1'], /traces do not say in which process/],
    ['llvm-profgen’s mappings', ['--compat=llvm-profgen'], /traces have no mappings any more/],
    ['addresses', ['--leading-ip-only'], /traces are sums of samples/],
    ['an event that there is not', ['--event', 'x'], /the traces have no event `x`; they have `r20c4`/],
  ])('refuses %s', async (_, args, message) => {
    await run('collect', '--perfdata', calc.perfData, '-o', 'b.parquet', '-q');
    const { status, stderr } = await generate('--traces', 'b.parquet', ...args);
    expect(stderr).toMatch(message);
    expect(status).toBeGreaterThan(0);
  });

  it('names the kind of a file without traces', async () => {
    temporary.write('bad.parquet', 'a file of another kind');
    expect((await generate('--traces', 'bad.parquet')).stderr).toMatch(
      /^error: bad.parquet: it is not a Parquet file: /,
    );
    temporary.write('cut.parquet', 'PAR1 but no more');
    expect((await generate('--traces', 'cut.parquet')).stderr).toMatch(
      /^error: cut.parquet: the Parquet file is damaged: .* its end is missing/,
    );
    expect((await generate('--traces', calc.perfData)).stderr).toMatch(/it is not a Parquet file/);
    mkdirSync(join(temporary.path, 'empty'));
    expect((await generate('--traces', 'empty')).stderr).toMatch(
      /^error: empty has no file whose name ends in .parquet/,
    );
  });

  it('lists the programs of the traces if they are of another program', async () => {
    await run('collect', '--perfdata', fixture('life-rust').perfData, '-o', 'life.parquet', '-q');
    const { status, stderr } = await generate('--traces', 'life.parquet');
    expect(stderr).toMatch(/the traces have no sample in calc; they have samples in .*life/);
    expect(status).toBe(1);
  });
});
