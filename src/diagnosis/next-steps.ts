import { cpus } from 'node:os';
import { basename } from 'node:path';
import type { AutofdoErrorCode } from '../errors.js';
import { recordCommand, STACKS } from '../perf-data/verdict.js';
import { shellWord } from '../shell-word.js';
import type { BinaryFacts, CompilerCounts } from './facts.js';
import type { Finding } from './findings.js';
import { describeRecordingHere } from './machine.js';
import { type Flags, flagsOf, mainTaker, takerOf } from './toolchains.js';

/** A command to run, and its purpose. */
export interface NextStep {
  purpose: 'rebuild' | 'find' | 'record' | 'convert' | 'generate' | 'compile';
  /** The command as a line of shell. */
  command: string;
  /** What the command needs, or how it may differ. */
  note?: string;
  /** True if the profile can be made without this step. With the step, the profile is better. */
  optional?: true;
}

/** The facts on which the steps depend. */
export interface Situation {
  facts: BinaryFacts;
  binary: string;
  perfData: readonly string[];
  findings: readonly Finding[];
  /** The compilers with their weights: the samples in their code, or their units. */
  compilers: readonly CompilerCounts[];
  /** True if a recording was given from which a profile can be made. */
  recordingUsable: boolean;
  /** The error of making a profile from the recording, if there was one. */
  failure?: AutofdoErrorCode | undefined;
  /** The command that makes branch stacks of a raw trace, if the recording is one. */
  inject?: string | undefined;
}

/** Flags that the kernel uses for CONFIG_AUTOFDO_CLANG (Linux: scripts/Makefile.autofdo). */
const PROFILING_FLAGS =
  '-fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true';
/** First version of Linux that has CONFIG_AUTOFDO_CLANG. */
const AUTOFDO_CLANG = [6, 13] as const;

/** A note for users of pseudo probes, who often want a profile with calling contexts. */
const CONTEXTS =
  'with -g as well, and a program built with -fno-omit-frame-pointer -fno-optimize-sibling-calls, the profile has calling contexts';

/** Returns the remaining steps in order: a new build, a file to find, or a recording, a profile and its use. */
export function nextSteps(situation: Situation): NextStep[] {
  const fixes = (severity: Finding['severity']) =>
    situation.findings.filter((finding) => finding.severity === severity).map(({ fix }) => fix);
  const blockers = fixes('blocker');
  const compiler = mainTaker(situation.compilers);
  if (blockers.includes('none') || (compiler === undefined && situation.compilers.length > 0)) return [];
  if (blockers.includes('find')) return [find(situation)];
  if (blockers.includes('rebuild')) return [rebuild(situation)];
  const recording = situation.recordingUsable ? [] : [inject(situation) ?? record(situation)];
  const better: NextStep[] = fixes('limit').includes('rebuild')
    ? [{ ...rebuild(situation), optional: true }]
    : [];
  return [...recording, generate(situation), compile(situation), ...better];
}

/** Errors which say that the recording is of another binary, or of another build. */
const OF_ANOTHER_BINARY: readonly (AutofdoErrorCode | undefined)[] = [
  'ARCHITECTURE_MISMATCH',
  'BINARY_MISMATCH',
  'BUILD_ID_MISMATCH',
  'NO_MAPPING',
];

/** Returns the step that repeats the diagnosis with the right file, or once the missing file is there. */
function find(situation: Situation): NextStep {
  const { binary, facts, findings, failure, perfData } = situation;
  const command = `autofdo-gen doctor --binary ${shellWord(binary)}`;
  const has = (code: string) => findings.some((finding) => finding.code === code);
  if (has('no-profile') && OF_ANOTHER_BINARY.includes(failure)) {
    const ran = facts.kind === 'kernel' ? 'THE_VMLINUX_THAT_RAN' : 'THE_BINARY_THAT_RAN';
    const recordings = perfData.map((path) => ` --perfdata ${shellWord(path)}`).join('');
    return {
      purpose: 'find',
      command: `autofdo-gen doctor --binary ${ran}${recordings}`,
      note: `or record this one: ${record(situation).command}`,
    };
  }
  if (has('no-profile')) return { purpose: 'find', command: `${command} --perfdata RECORDING` };
  if (has('split-missing')) return { purpose: 'find', command: `${command} --dwp PACKAGE` };
  if (has('supplementary-missing')) return { purpose: 'find', command, note: 'once the file is there' };
  if (facts.kind === 'kernel')
    return { purpose: 'find', command: 'autofdo-gen doctor --binary UNSTRIPPED_VMLINUX' };
  return { purpose: 'find', command: `${command} --debug-binary DEBUG_FILE` };
}

function rebuild({ facts, compilers, findings }: Situation): NextStep {
  if (facts.kernel !== undefined) {
    return hasAutofdoClang(facts)
      ? { purpose: 'rebuild', command: 'scripts/config -e AUTOFDO_CLANG && make LLVM=1' }
      : { purpose: 'rebuild', command: `make LLVM=1 KCFLAGS="${PROFILING_FLAGS}"` };
  }
  const flags = flagsOfMost(compilers);
  if (flags !== undefined) {
    return { purpose: 'rebuild', command: flags.build(''), ...(flags.note && { note: flags.note }) };
  }
  const unique = findings.some(({ code }) => code === 'shared-names')
    ? ' -funique-internal-linkage-names'
    : '';
  return { purpose: 'rebuild', command: `clang -O2 -g -fdebug-info-for-profiling${unique} ...` };
}

/** Returns the step that makes branch stacks of a raw trace; `undefined` if the recording is no raw trace. */
function inject({ inject }: Situation): NextStep | undefined {
  if (inject === undefined) return undefined;
  return { purpose: 'convert', command: inject, note: `${STACKS} is then the recording` };
}

function record({ facts, binary, findings }: Situation): NextStep {
  const kernel = facts.kernel !== undefined;
  const amd = cpus().some(({ model }) => model.startsWith('AMD'));
  const arch = facts.machine === 'aarch64' ? 'aarch64' : 'x86_64';
  const program = facts.kind === 'shared-object' && /\.so(\.|$)/.test(binary) ? 'PROGRAM' : startable(binary);
  const cpuId = amd ? 'AuthenticAMD' : undefined;
  const { command, needs } = recordCommand({ cpuId, arch, kernel, program });
  // An x86-64 kernel also runs 32-bit programs.
  const sameMachine = arch === (process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  const here = sameMachine ? describeRecordingHere(kernel) : undefined;
  const contexts = facts.pseudoProbes && !kernel ? CONTEXTS : undefined;
  const unusable = findings.find(({ code }) => code === 'recording-unusable')?.message;
  return { purpose: 'record', command, note: [unusable, needs, here, contexts].filter(Boolean).join('; ') };
}

function startable(binary: string): string {
  return shellWord(binary.includes('/') ? binary : `./${binary}`);
}

function generate({ binary, perfData, recordingUsable, inject }: Situation): NextStep {
  const recordings = recordingUsable ? perfData : [inject === undefined ? 'perf.data' : STACKS];
  const inputs = recordings.map((path) => `--perfdata ${shellWord(path)}`).join(' ');
  return { purpose: 'generate', command: `autofdo-gen --binary ${shellWord(binary)} ${inputs}` };
}

function compile({ facts, binary, compilers }: Situation): NextStep {
  const profile = shellWord(`${basename(binary)}.afdo`);
  if (facts.kernel !== undefined) {
    return hasAutofdoClang(facts)
      ? { purpose: 'compile', command: `make LLVM=1 CLANG_AUTOFDO_PROFILE="$PWD"/${profile}` }
      : {
          purpose: 'compile',
          command: `make LLVM=1 KCFLAGS="${PROFILING_FLAGS} -fprofile-sample-use=$PWD/${profile}"`,
          note: 'Linux 6.13 and later: CONFIG_AUTOFDO_CLANG and CLANG_AUTOFDO_PROFILE= instead of the flags',
        };
  }
  const flags = flagsOfMost(compilers);
  if (flags !== undefined) {
    return { purpose: 'compile', command: flags.use(profile), ...(flags.note && { note: flags.note }) };
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

/**
 * Returns the flags of the compiler of most code. Returns `undefined` if that compiler is clang, or if there is
 * none.
 */
function flagsOfMost(compilers: readonly CompilerCounts[]): Flags | undefined {
  const compiler = mainTaker(compilers);
  if (compiler === undefined || compiler === 'clang') return undefined;
  const [first] = compilers.filter((counts) => takerOf(counts).compiler === compiler);
  return flagsOf(compiler, first?.name ?? '');
}

/** True if the kernel has CONFIG_AUTOFDO_CLANG. A kernel of unknown version is assumed to be new. */
function hasAutofdoClang({ kernel }: BinaryFacts): boolean {
  const [major, minor] = kernel?.version ?? AUTOFDO_CLANG;
  return major > AUTOFDO_CLANG[0] || (major === AUTOFDO_CLANG[0] && minor >= AUTOFDO_CLANG[1]);
}
