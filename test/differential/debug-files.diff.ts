import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectSame } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { recorded } from './program.js';
import { cli, shell, testWith } from './tools.js';

const codec = '$programs/codec.c $programs/codec-main.c';
const shapes = '$fixtures/shapes.cpp';
const INPUTS = ['--binary=program', '--perfdata=perf.data', '--format=text'];

describe('debug information that dwz moved to a second file', () => {
  const flags = [
    ['GNU extension', '-m'],
    ['DWARF 5', '-5 -m'],
  ] as const;
  for (const [name, flag] of flags) {
    testWith(
      ['dwz', 'g++'],
      `${name}: gives the profile of the original program, or an error that names the file`,
      () => {
        const { folder } = recorded({
          name: `dwz-${flag.replace(/ /g, '')}`,
          build: [
            `g++ -O2 -g ${shapes} -o program -Wl,--build-id`,
            `g++ -O2 -g -DANOTHER ${shapes} -o another -Wl,--build-id`,
          ],
        });
        const whole = llvmProfgen(folder, INPUTS);
        shell(`dwz ${flag} common.debug program another`, folder);
        expectSame(ours(folder, [...INPUTS, '--verbose']), whole, true);
        shell('mv common.debug away.debug', folder);
        const without = ours(folder, INPUTS);
        expect([without.status, without.output]).toEqual([1, undefined]);
        expect(without.stderr).toMatch(/common\.debug.*was not found/);
        shell('cp program common.debug', folder);
        const other = ours(folder, [...INPUTS, '--jobs=1']);
        expect([other.status, other.output]).toEqual([1, undefined]);
      },
    );
  }
});

describe('debug information that llvm-profgen does not find', () => {
  testWith(['objcopy'], 'sections named .zdebug: empty in compatible mode only', () => {
    const { folder } = recorded({ name: 'zdebug', build: [`gcc -O2 -g ${codec} -o program`] });
    const whole = llvmProfgen(folder, INPUTS);
    shell('objcopy --compress-debug-sections=zlib-gnu program', folder);
    shell('readelf -SW program | grep -q zdebug_info', folder);
    expectSame(ours(folder, [...INPUTS, '--verbose']), whole, true);
    const theirs = llvmProfgen(folder, [...INPUTS, '--use-md5=false']);
    expect(theirs.output?.length).toBe(0);
    expectSame(oursCompatible(folder, INPUTS), theirs, true);
  });

  testWith(['clang-22'], 'a .dwo file that was moved with its program', () => {
    const { folder } = recorded({
      name: 'dwo-moved',
      build: [
        'mkdir -p build && cp $programs/codec* build/',
        `cd build && ${CLANG} ${AUTOFDO} -gsplit-dwarf -c codec.c codec-main.c && ${CLANG} codec.o codec-main.o -o program`,
        'cp build/program .',
      ],
    });
    const whole = llvmProfgen(folder, INPUTS);
    shell('mv build/*.dwo .', folder);
    expectSame(ours(folder, INPUTS), whole, true);
    const theirs = llvmProfgen(folder, [...INPUTS, '--use-md5=false']);
    expect(theirs.output).not.toEqual(whole.output);
    expectSame(oursCompatible(folder, INPUTS), theirs, true);
  });
});

describe('debug files from a debuginfod server', () => {
  testWith(
    ['debuginfod', 'dwz', 'g++', 'objcopy', 'strip'],
    'of a package, with the file of dwz',
    async () => {
      const { folder } = recorded({
        name: 'debuginfod',
        build: [
          `g++ -O2 -g ${shapes} -o program -Wl,--build-id`,
          `g++ -O2 -g -DANOTHER ${shapes} -o another -Wl,--build-id`,
        ],
      });
      const whole = llvmProfgen(folder, INPUTS);
      // The steps of a distribution's package: both programs are stripped, and dwz compresses their debug files
      // together.
      for (const name of ['program', 'another']) {
        shell(
          `mkdir -p served && objcopy --only-keep-debug ${name} served/${name}.debug && strip ${name}`,
          folder,
        );
      }
      shell(
        'dwz -m served/common.debug -M /usr/lib/debug/.dwz/common.debug served/program.debug served/another.debug',
        folder,
      );
      shell('cp program served/', folder);
      // dwz gives the common file a build id, by which servers have files.
      const port = 20_000 + (process.pid % 20_000);
      const server = spawn('debuginfod', ['-p', String(port), '-d', 'server.sqlite', '-F', 'served'], {
        cwd: folder,
        stdio: 'ignore',
      });
      try {
        const url = `http://127.0.0.1:${port}`;
        await scanned(url);
        const environment = `DEBUGINFOD_URLS=${url} DEBUGINFOD_CACHE_PATH=$PWD/cache`;
        const command = `${process.execPath} ${cli} ${INPUTS.join(' ')} -o fetched.txt`;
        shell(`${environment} ${command}`, folder);
        expect(readFileSync(join(folder, 'fetched.txt'), 'utf8')).toBe(whole.output?.toString());
        shell('test "$(ls cache | wc -l)" = 2', folder);
        // elfutils' own client finds the files in the same cache.
        const id = "$(readelf -n program | sed -n 's/.*Build ID: //p')";
        shell(
          `test "$(${environment} debuginfod-find debuginfo ${id})" = "$PWD/cache/${id}/debuginfo"`,
          folder,
        );
        // The program itself is not on this machine. The server has it, too.
        shell('mv program elsewhere', folder);
        const [, ...others] = INPUTS;
        shell(`${environment} ${process.execPath} ${cli} --all-binaries ${others.join(' ')} -o all`, folder);
        shell(
          'mv elsewhere program; cmp fetched.txt all/program.afdo; test "$(ls cache/*/executable | wc -l)" = 1',
          folder,
        );
        // Exit status 1 means that the debug file is missing. An unknown flag would give 2.
        shell(
          `export ${environment}; if ${command} --no-debuginfod; then false; else test $? = 1; fi`,
          folder,
        );
      } finally {
        server.kill();
      }
      shell(
        `DEBUGINFOD_URLS=http://127.0.0.1:${port} DEBUGINFOD_CACHE_PATH=$PWD/cache ${process.execPath} ${cli} ${INPUTS.join(' ')} -o again.txt`,
        folder,
      );
      shell('cmp fetched.txt again.txt', folder);
    },
  );
});

/** Resolves once the server has scanned its files. */
async function scanned(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const metrics = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    if (
      /thread_work_total\{role="traverse"\} [1-9]/.test(metrics) &&
      /scanned_files_total\{[^}]*\} [3-9]/.test(metrics)
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not become ready');
}
