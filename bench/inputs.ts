/**
 * The inputs of the measurements: programs built and recorded here. They are kept in the cache folder from one run
 * to the next.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { folder, make, sh } from './cache.js';
import { type ProgramSize, writeLargeProgram } from './large-program.js';
import { compressed, shuffled } from './recordings.js';

export interface Input {
  name: string;
  binary: string;
  perfData: string;
  /** Flags that llvm-profgen needs for this input. */
  flags?: readonly string[];
  /**
   * For a recording with call chains: the text that llvm-profgen reads after `perf script` has printed the
   * recording. The text that perf 6.1 prints cannot be used.
   */
  script?: string;
}

/** Size in bytes of a sample with 32 entries, in a recording of one event. */
const SAMPLE_BYTES = 824;

/**
 * Number of taken branches from one sample to the next. The number is prime, so that samples do not fall in step
 * with loops.
 */
const PERIOD = 97;

export function calc(): Input {
  return {
    name: 'calc, a fixture',
    binary: resolve('fixtures/calc-x86_64/calc'),
    perfData: resolve('fixtures/calc-x86_64/perf.data'),
  };
}

/** Number of taken branches of a call in the generated program, rounded down from 12.9. */
const BRANCHES_PER_CALL = 12;

/**
 * `programs/compress.c` with the zstd library that the addon also links, and a recording of about `megabytes` with
 * branch stacks.
 */
export function compressor(megabytes: number): Input {
  const binary = compressorProgram('compress', '');

  const perfData = join(folder, `compress-${megabytes}.data`);
  const samples = Math.round((megabytes * 1e6) / SAMPLE_BYTES);
  make(perfData, (path) => {
    const rounds = Math.ceil(samples / 20_000);
    sh(`test/recorder/record-program.sh ${path} period=${PERIOD} max=${samples} -- ${binary} ${rounds}`);
    if (statSync(path).size < 0.95e6 * megabytes) throw new Error(`${path}: ${binary} ends too early`);
  });
  return { name: 'compress, the zstd library', binary, perfData };
}

/** Bytes of a sample of an address. */
const ADDRESS_BYTES = 48;

/** Of the same program, about `megabytes` of sampled addresses without branch stacks. */
export function sampledCompressor(megabytes: number): Input {
  const { binary } = compressor(megabytes);
  const perfData = join(folder, `compress-addresses-${megabytes}.data`);
  const samples = Math.round((megabytes * 1e6) / ADDRESS_BYTES);
  make(perfData, (path) => {
    const rounds = Math.ceil(samples / 570_000);
    const options = `addresses=on period=${PERIOD} max=${samples}`;
    sh(`test/recorder/record-program.sh ${path} ${options} -- ${binary} ${rounds}`);
    if (statSync(path).size < 0.95e6 * megabytes) throw new Error(`${path}: ${binary} ends too early`);
  });
  return { name: 'compress, the zstd library, sampled addresses', binary, perfData };
}

/** The same recording in the form that `perf record -z` writes. */
export function compressedCompressor(megabytes: number): Input {
  const input = compressor(megabytes);
  const perfData = input.perfData.replace('.data', '.z.data');
  make(perfData, (path) => compressed(input.perfData, path));
  return { ...input, name: `${input.name}, perf record -z`, perfData };
}

/** The same recording in the form that `perf script` prints. llvm-profgen reads this form, too. */
export function printedCompressor(megabytes: number): Input & { script: string } {
  const input = compressor(megabytes);
  const script = `${input.perfData}.script`;
  make(script, (path) => sh(`perf script -F ip,brstack --show-mmap-events -i ${input.perfData} > ${path}`));
  return { ...input, script };
}

/** The same program, and a recording with call chains. The recording has `samples` samples of 920 bytes each. */
export function compressorWithChains(samples: number): Input {
  const binary = compressorProgram('compress-chains', '-fno-omit-frame-pointer -fno-optimize-sibling-calls');
  const perfData = join(folder, `compress-chains-${samples}.data`);
  make(perfData, (path) => {
    const rounds = Math.ceil(samples / 19_000);
    const options = `period=${PERIOD} callchain=1 max=${samples}`;
    sh(`test/recorder/record-program.sh ${path} ${options} -- ${binary} ${rounds}`);
  });
  const script = `${perfData}.script`;
  make(script, (path) => sh(`test/recorder/script-with-chains.sh ${perfData} > ${path}`));
  return { name: 'compress, with call chains', binary, perfData, script };
}

/** The same program, and its recording with call chains after a change: hardly any two samples are equal. */
export function shuffledChains(samples: number): Input {
  const input = compressorWithChains(samples);
  const perfData = input.perfData.replace('.data', '.shuffled.data');
  make(perfData, (path) => shuffled(input.perfData, path));
  return { name: `${input.name}, shuffled`, binary: input.binary, perfData };
}

/** Builds `programs/compress.c` with the zstd library. */
function compressorProgram(name: string, flags: string): string {
  mkdirSync(folder, { recursive: true });
  const binary = join(folder, name);
  make(binary, (path) => {
    const source = zstdSource();
    const files = ['common/*.c', 'compress/*.c', 'decompress/*.c', 'decompress/*.S'].map(
      (files) => `${source}/${files}`,
    );
    sh(
      `clang-22 -O2 -g -fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true ${flags} -I${source} ` +
        `-o ${path} bench/programs/compress.c ${files.join(' ')}`,
    );
  });
  return binary;
}

/**
 * The generated program of many functions, with `samples` branch stacks of 32 entries. It is built with -O0, which
 * takes half a minute of one core; -O1 takes five times as long.
 */
export function largeProgram(size: ProgramSize, samples: number): Input {
  const own = join(folder, `large-${size.units}x${size.functions}`);
  const binary = join(own, 'large');
  make(binary, (path) => {
    const units = join(own, 'units');
    const sources = writeLargeProgram(units, size);
    const flags = '-O0 -g -fdebug-info-for-profiling';
    sh(`printf '%s\\n' ${sources.join(' ')} | xargs -P 2 -I @ clang++-22 ${flags} -c @ -o @.o`);
    sh(`clang++-22 -o ${path} ${units}/*.o`);
    rmSync(units, { recursive: true });
  });
  const perfData = join(own, `${samples}.data`);
  make(perfData, (path) => {
    const rounds = Math.ceil((samples * PERIOD) / (size.units * size.functions * BRANCHES_PER_CALL));
    sh(`test/recorder/record-program.sh ${path} period=${PERIOD} max=${samples} -- ${binary} ${rounds}`);
    if (statSync(path).size < 0.95 * samples * SAMPLE_BYTES)
      throw new Error(`${path}: ${binary} ends too early`);
  });
  return { name: `${size.units * size.functions} generated functions`, binary, perfData };
}

/** Returns the folder with the sources of the zstd library in Cargo's registry. */
function zstdSource(): string {
  const manifest = ['--format-version', '1', '--manifest-path', 'native/Cargo.toml'];
  const metadata = JSON.parse(
    execFileSync('cargo', ['metadata', ...manifest], { encoding: 'utf8', maxBuffer: 64 << 20 }),
  ) as { packages: { name: string; manifest_path: string }[] };
  const found = metadata.packages.find(({ name }) => name === 'zstd-sys');
  if (!found) throw new Error('the addon no longer depends on zstd-sys');
  return join(dirname(found.manifest_path), 'zstd/lib');
}
