import type { BinaryDiagnosis } from '../diagnose-binary.js';
import { type BinaryFacts, type CompilerFacts, isAssembly, type ProfilingFlag } from '../diagnosis/facts.js';
import type { RecordingDiagnosis } from '../diagnosis/recording.js';
import { mainTaker } from '../diagnosis/toolchains.js';
import { formatBytes, formatCount, formatSeconds, formatShare, labelledLine, plural } from './format.js';
import { ledgerLines } from './summary.js';

/** Number of compilers that are shown to people. `--json` has all of them. */
const MAX_COMPILERS = 6;

const KINDS: Record<BinaryFacts['kind'], string> = {
  executable: 'executable',
  'shared-object': 'position-independent executable or shared object',
  kernel: 'Linux kernel',
  module: 'kernel module',
};

const FLAG_TEXT: Record<ProfilingFlag, string> = {
  yes: 'yes',
  likely: 'probably: there are discriminators (-fprofile-sample-use makes them too)',
  unlikely: 'probably not: there are no discriminators',
  no: 'no',
  unknown: 'cannot tell',
};

/** Describes a diagnosis, for people. Ends with a line break. */
export function diagnosisText({
  binary,
  verdict,
  findings,
  facts,
  recording,
  next,
}: BinaryDiagnosis): string {
  const lines: string[] = [];
  const line = (label: string, text: string | undefined) => {
    if (text) lines.push(labelledLine(label, text));
  };
  for (const [label, text] of factLines(binary, facts)) line(label, text);
  if (recording) for (const [label, text] of recordingLines(recording)) line(label, text);
  for (const { severity, message, hint } of findings) {
    line(severity, message);
    line('', hint && `-> ${hint}`);
  }
  line('verdict', verdictText(verdict, findings));
  for (const [index, { purpose, command, note, optional }] of next.entries()) {
    line(optional ? 'better' : index === 0 ? 'next' : 'then', command);
    line('', note && `(${purpose}: ${note})`);
  }
  return `${lines.join('\n')}\n`;
}

function verdictText(verdict: BinaryDiagnosis['verdict'], findings: BinaryDiagnosis['findings']): string {
  const reasons = (wanted: string) => {
    const count = findings.filter(({ severity }) => severity === wanted).length;
    return count === 1 ? `the ${wanted} above` : `the ${count} ${wanted}s above`;
  };
  switch (verdict) {
    case 'good':
      return 'good';
    case 'limited':
      return `usable, with ${reasons('limit')}`;
    case 'unusable':
      return `not usable, for ${reasons('blocker')}`;
  }
}

function* factLines(binary: string, facts: BinaryFacts): Generator<[string, string | undefined]> {
  const { kernel, split, debugFile, symbolFile, compression } = facts;
  yield ['binary', `${binary} (${KINDS[facts.kind]}, ${facts.machine}, ${formatBytes(facts.size)})`];
  yield ['build id', facts.buildId ?? 'none'];
  yield [
    'symbols',
    facts.codeSymbols === 0
      ? 'none (stripped)'
      : `${formatCount(facts.codeSymbols)} in code${symbolFile === undefined ? '' : `, from ${symbolFile}`}`,
  ];
  yield ['kernel', kernel?.banner];
  yield ['configuration', kernel && facts.kind === 'kernel' ? configuration(kernel) : undefined];
  yield ['debug link', facts.debuglink];
  const source =
    debugFile?.source === 'binary' ? 'in the binary' : `${debugFile?.path} (${debugFile?.source})`;
  const compressed = compression === undefined ? '' : `, compressed (${compression})`;
  yield ['debug info', debugFile === undefined ? 'none' : `${source}${compressed}`];
  yield [
    'split units',
    split.units > 0 ? `${formatCount(split.found)} of ${formatCount(split.units)} found` : undefined,
  ];
  for (const compiler of facts.compilers.slice(0, MAX_COMPILERS))
    yield ['compiled by', compilerText(compiler)];
  const more = facts.compilers.length - MAX_COMPILERS;
  yield ['', more > 0 ? `and ${more} more (--json shows all)` : undefined];
  if (debugFile !== undefined && mainTaker(facts.compilers) !== undefined) {
    yield ['discriminators', discriminatorText(facts)];
    yield ['profiling flag', `-fdebug-info-for-profiling: ${profilingFlagText(facts)}`];
  }
  yield ['pseudo probes', facts.pseudoProbes ? 'yes' : undefined];
}

function configuration({ hasConfig, options }: NonNullable<BinaryFacts['kernel']>): string {
  if (!hasConfig) return 'not embedded (CONFIG_IKCONFIG)';
  const shown = [
    'CONFIG_AUTOFDO_CLANG',
    'CONFIG_DEBUG_INFO_REDUCED',
    'CONFIG_DEBUG_INFO_SPLIT',
    'CONFIG_LTO_CLANG_THIN',
  ];
  return shown
    .map((name) => (options[name] === undefined ? `${name} off` : `${name}=${options[name]}`))
    .join(', ');
}

function compilerText(compiler: CompilerFacts): string {
  const { name, language, dwarfVersion, units, level } = compiler;
  const what = isAssembly(compiler) ? 'assembly' : language || 'unknown language';
  const parts = [`${plural(units, 'unit')} of ${what}`, `DWARF ${dwarfVersion}`];
  if (!isAssembly(compiler)) {
    parts.push(
      {
        full: 'full debug info',
        'line-tables': 'line tables only',
        mixed: 'partly line tables only',
        'no functions': 'no functions',
      }[level],
    );
  }
  return `${name || 'unknown'}: ${parts.join(', ')}`;
}

function discriminatorText({ compilers, flowSensitive }: BinaryFacts): string {
  const sum = (of: (compiler: CompilerFacts) => number) => compilers.reduce((total, c) => total + of(c), 0);
  const some = sum(({ withDiscriminators }) => withDiscriminators);
  const calls = sum(({ withCallDiscriminators }) => withCallDiscriminators);
  if (some === 0 && calls > 0)
    return `none in lines; calls of inlined functions have some in ${plural(calls, 'unit')}`;
  if (some === 0) return 'none';
  const units = `in ${formatCount(some)} of ${plural(
    sum(({ withLines }) => withLines),
    'unit',
  )} with lines`;
  return `${units}${flowSensitive ? ', flow-sensitive' : ''}`;
}

/**
 * Describes the use of the profiling flag. Most of a program usually has the same; otherwise the text names the
 * best case and the others.
 */
function profilingFlagText({ compilers }: BinaryFacts): string {
  const told = compilers.filter((compiler) => !isAssembly(compiler) && compiler.withLines > 0);
  const flags = [...new Set(told.map(({ profilingFlag }) => profilingFlag))];
  if (flags.length === 0) return FLAG_TEXT.unknown;
  if (flags.length === 1 && flags[0] !== undefined) {
    const flag = flags[0];
    return flag === 'unknown' ? `${FLAG_TEXT.unknown} (only clang and rustc have it)` : FLAG_TEXT[flag];
  }
  const units = (flag: ProfilingFlag) =>
    told.reduce((total, compiler) => total + (compiler.profilingFlag === flag ? compiler.units : 0), 0);
  return flags.map((flag) => `${FLAG_TEXT[flag]} (${plural(units(flag), 'unit')})`).join('; ');
}

function functionsText({ statistics, survey }: RecordingDiagnosis): string {
  const inProfile = formatCount(statistics?.functions ?? 0);
  if (survey === undefined) return inProfile;
  return `${inProfile} in the profile; ${formatCount(survey.sampledFunctions)} of ${formatCount(survey.functions)} ${survey.sampledFunctions === 1 ? 'has' : 'have'} samples`;
}

/**
 * Describes the share of the samples in the code of each compiler. Returns `undefined` if there are not several
 * compilers.
 */
function samplesText({ survey }: RecordingDiagnosis): string | undefined {
  if (survey === undefined || survey.compilers.length < 2) return undefined;
  const shares = survey.compilers.slice(0, MAX_COMPILERS).map((counts) => {
    const what = isAssembly(counts) ? 'assembly' : counts.language || 'unknown language';
    return `${what} of ${counts.name || 'an unknown compiler'} ${formatShare(counts.units, survey.samples)}`;
  });
  return shares.join(', ');
}

function* recordingLines(recording: RecordingDiagnosis): Generator<[string, string | undefined]> {
  const { files, statistics, seconds, secondsNeeded, densityThreshold } = recording;
  for (const { file, samples, branchSamples, autofdo } of files) {
    const stacks = `${plural(samples, 'sample')}, ${formatCount(branchSamples)} with branch stacks`;
    yield ['recording', `${file}: ${stacks}, ${autofdo.usable ? 'usable' : 'not usable'}`];
  }
  yield ['recorded for', seconds > 0 ? formatSeconds(seconds) : undefined];
  if (statistics === undefined) return;
  yield* ledgerLines(statistics);
  yield ['functions', functionsText(recording)];
  yield ['samples in', samplesText(recording)];
  if (statistics.byAddresses) return;
  const enough = statistics.density >= densityThreshold ? 'enough' : 'too few';
  const length =
    secondsNeeded === undefined ? '' : `; ${formatSeconds(secondsNeeded)} reach ${densityThreshold}`;
  yield [
    'density',
    `${statistics.density.toFixed(1)} samples for each instruction line of the hot part: ${enough}${length}`,
  ];
}
