import { cpus } from 'node:os';
import { basename } from 'node:path';
import { recordCommand } from '../perf-data/verdict.js';
import { type BinaryFacts, isAssembly } from './facts.js';

/** A command to run, and what for. */
export interface NextStep {
  purpose: 'rebuild' | 'record' | 'generate' | 'compile';
  /** A line of shell. */
  command: string;
  /** What it needs, or where it differs. */
  note?: string;
}

/** What the steps depend on. */
export interface Situation {
  facts: BinaryFacts;
  binary: string;
  perfData: readonly string[];
  /** Nothing stands against a profile of this binary. */
  binaryUsable: boolean;
  /** There is a recording that a profile can be made of. */
  recordingUsable: boolean;
}

/** The flags of the kernel's CONFIG_AUTOFDO_CLANG (Linux: scripts/Makefile.autofdo). */
const PROFILING_FLAGS =
  '-fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true';
/** Linux has CONFIG_AUTOFDO_CLANG from here on. */
const AUTOFDO_CLANG = [6, 13] as const;

/** What is left to do, in order: a new build, or a recording, a profile and its use. */
export function nextSteps(situation: Situation): NextStep[] {
  if (!situation.binaryUsable) return [rebuild(situation.facts)];
  const recording = situation.recordingUsable ? [] : [record(situation)];
  return [...recording, generate(situation), compile(situation)];
}

function rebuild(facts: BinaryFacts): NextStep {
  if (facts.kernel !== undefined) {
    return hasAutofdoClang(facts)
      ? { purpose: 'rebuild', command: 'scripts/config -e AUTOFDO_CLANG && make LLVM=1' }
      : { purpose: 'rebuild', command: `make LLVM=1 KCFLAGS="${PROFILING_FLAGS}"` };
  }
  if (isRust(facts)) {
    return {
      purpose: 'rebuild',
      command: 'RUSTFLAGS="-g -Zdebug-info-for-profiling" cargo +nightly build --release',
      note: 'without nightly: -g alone, which has no discriminators',
    };
  }
  return { purpose: 'rebuild', command: 'clang -O2 -g -fdebug-info-for-profiling ...' };
}

function record({ facts, binary }: Situation): NextStep {
  const kernel = facts.kernel !== undefined;
  const amd = cpus().some(({ model }) => model.startsWith('AMD'));
  const arch = facts.machine === 'aarch64' ? 'aarch64' : 'x86_64';
  const program = facts.kind === 'shared-object' && /\.so(\.|$)/.test(binary) ? 'PROGRAM' : startable(binary);
  const cpuId = amd ? 'AuthenticAMD' : undefined;
  const { command, needs } = recordCommand({ cpuId, arch, kernel, program });
  return { purpose: 'record', command, note: needs };
}

function startable(binary: string): string {
  return quoted(binary.includes('/') ? binary : `./${binary}`);
}

function generate({ binary, perfData, recordingUsable }: Situation): NextStep {
  const recordings = recordingUsable ? perfData : ['perf.data'];
  const inputs = recordings.map((path) => `--perfdata ${quoted(path)}`).join(' ');
  return { purpose: 'generate', command: `autofdo-gen --binary ${quoted(binary)} ${inputs}` };
}

function compile({ facts, binary }: Situation): NextStep {
  const profile = quoted(`${basename(binary)}.afdo`);
  if (facts.kernel !== undefined) {
    return hasAutofdoClang(facts)
      ? { purpose: 'compile', command: `make LLVM=1 CLANG_AUTOFDO_PROFILE="$PWD"/${profile}` }
      : {
          purpose: 'compile',
          command: `make LLVM=1 KCFLAGS="${PROFILING_FLAGS} -fprofile-sample-use=$PWD/${profile}"`,
          note: 'Linux 6.13 and later: CONFIG_AUTOFDO_CLANG and CLANG_AUTOFDO_PROFILE= instead of the flags',
        };
  }
  if (isRust(facts)) {
    return {
      purpose: 'compile',
      command: `RUSTFLAGS="-g -Zprofile-sample-use=$PWD/${profile}" cargo +nightly build --release`,
    };
  }
  if (facts.pseudoProbes) {
    return {
      purpose: 'compile',
      command: `clang -O2 -fpseudo-probe-for-profiling -fprofile-sample-use=${profile} ...`,
    };
  }
  const flowSensitive = facts.flowSensitive ? ` ${PROFILING_FLAGS}` : '';
  const probes = facts.pseudoProbes ? ' -fpseudo-probe-for-profiling' : '';
  return {
    purpose: 'compile',
    command: `clang -O2 -gmlt${flowSensitive}${probes} -fprofile-sample-use=${profile} ...`,
  };
}

/** Where the version is not known, a new kernel is the better guess. */
function hasAutofdoClang({ kernel }: BinaryFacts): boolean {
  const [major, minor] = kernel?.version ?? AUTOFDO_CLANG;
  return major > AUTOFDO_CLANG[0] || (major === AUTOFDO_CLANG[0] && minor >= AUTOFDO_CLANG[1]);
}

function isRust({ compilers }: BinaryFacts): boolean {
  return compilers.find((compiler) => !isAssembly(compiler))?.language === 'Rust';
}

/** A word of shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
