import type { DiagnosticCode } from '../diagnostic-code.js';
import { AutofdoError, type AutofdoErrorCode } from '../errors.js';
import type { PerfDataSummary } from '../perf-data/summary.js';
import { formatCount, formatSeconds, formatShare, percentOf, plural } from '../report/format.js';
import type { Diagnostic, EntryClass, Statistics } from '../result.js';
import type { BinaryFacts, SampleSurvey } from './facts.js';
import { type Finding, type Fix, limit } from './findings.js';
import { mainTaker } from './toolchains.js';

/** Default of llvm-profgen, in samples for each instruction line. */
const DENSITY_THRESHOLD = 50;
/**
 * Percentage of lost branch entries above which the loss is reported. Assembly without DWARF costs a kernel 5 to
 * 10 %.
 */
const TOLERABLE_LOSS = 15;
/**
 * Percentage from which on most of the executed code has no debug information. Smaller findings are then left out.
 */
const MOST = 50;
/** Percentage of samples in functions that share an entry from which on this is reported. */
const FEW_SHARED = 1;

/** Classes of entries that should have been counted but could not be counted, as for `maxLoss`. */
const LOST: readonly EntryClass[] = ['otherBuild', 'notInstruction', 'crossesBarrier', 'unmapped'];

/** The worth of a recording for a binary. */
export interface RecordingDiagnosis {
  /** The contents of each file, and whether it can be used, as `inspectPerfData` tells. */
  files: PerfDataSummary[];
  /** Time from the first sample to the last in seconds, summed over all files. */
  seconds: number;
  /** The reason why no profile can be made; undefined if one can be made. */
  error: { code: AutofdoErrorCode; message: string; hint: string | undefined } | undefined;
  /** Numbers about the samples; undefined with `error`. */
  statistics: Statistics | undefined;
  /** The code in which the samples lie; undefined with `error`. */
  survey: SampleSurvey | undefined;
  /** Percentage of the branch entries that were used. */
  explained: number | undefined;
  /** Percentage of the branch entries that should have been counted but could not be counted. */
  lost: number | undefined;
  /** Recommended number of samples for each instruction line of the hot part. */
  densityThreshold: number;
  /**
   * Length in seconds of a similar recording that would reach this density; undefined if it cannot be computed.
   */
  secondsNeeded: number | undefined;
}

/** The result of making a profile from the recording: its numbers, or the error. */
export type Attempt = { statistics: Statistics; diagnostics: Diagnostic[] } | AutofdoError;

export function recordingDiagnosis(
  files: PerfDataSummary[],
  attempt: Attempt,
  survey: SampleSurvey | undefined,
  densityThreshold = DENSITY_THRESHOLD,
): RecordingDiagnosis {
  const seconds = files.reduce((sum, file) => sum + duration(file), 0);
  if (attempt instanceof AutofdoError) {
    const { code, message, hint } = attempt;
    return {
      files,
      seconds,
      error: { code, message, hint },
      statistics: undefined,
      survey: undefined,
      explained: undefined,
      lost: undefined,
      densityThreshold,
      secondsNeeded: undefined,
    };
  }
  const { statistics } = attempt;
  const { ledger, branchEntries, byAddresses, density } = statistics;
  const share = (classes: readonly EntryClass[]) =>
    percentOf(
      classes.reduce((sum, name) => sum + ledger[name], 0n),
      branchEntries,
    );
  return {
    files,
    seconds,
    error: undefined,
    statistics,
    survey,
    explained: share(['used']),
    lost: share(LOST),
    densityThreshold,
    // The density grows with the number of samples, and so with time. Inferred counts are executions, not samples.
    secondsNeeded:
      !byAddresses && density > 0 && seconds > 0 ? (seconds * densityThreshold) / density : undefined,
  };
}

function duration({ timeSpan }: PerfDataSummary): number {
  return timeSpan === undefined ? 0 : Math.max(0, Number(timeSpan.last) - Number(timeSpan.first));
}

/** Returns the findings against a profile from a recording. */
export function recordingFindings(
  facts: BinaryFacts,
  recording: RecordingDiagnosis,
  attempt: Attempt,
): Finding[] {
  const findings: Finding[] = [];
  for (const { file, autofdo } of recording.files) {
    for (const reason of autofdo.reasons) {
      findings.push({
        code: autofdo.usable ? 'recording-limited' : 'recording-unusable',
        severity: autofdo.usable ? 'limit' : 'blocker',
        message: `${file}: ${reason}`,
        ...(autofdo.advice !== undefined && { hint: autofdo.advice }),
        fix: 'record',
      });
    }
  }
  if (attempt instanceof AutofdoError) {
    // If the recording itself is unusable, that reason is enough.
    if (findings.some(({ severity }) => severity === 'blocker')) return findings;
    const { code, message, hint } = attempt;
    const fix = code === 'NO_MAPPING' && facts.kernel !== undefined ? 'record' : (FIXES[code] ?? 'record');
    return [
      ...findings,
      { code: 'no-profile', severity: 'blocker', message, ...(hint !== undefined && { hint }), fix },
    ];
  }
  const { lost, seconds, secondsNeeded, densityThreshold, survey } = recording;
  findings.push(...withoutFunction(attempt.statistics));
  if (survey !== undefined) findings.push(...sharedNames(facts, survey), ...coverage(facts, survey));
  if (lost !== undefined && lost > TOLERABLE_LOSS) {
    findings.push(
      limit(
        'entries-lost',
        `${lost.toFixed(1)} % of the branch entries are lost`,
        'the ledger above says where; a binary that is not the one recorded is the usual cause',
      ),
    );
  }
  const { byAddresses, density } = attempt.statistics;
  if (!byAddresses && density < densityThreshold) {
    const longer =
      secondsNeeded === undefined || seconds === 0
        ? 'record for longer'
        : `record ${(densityThreshold / density).toFixed(1)} times as long: ${formatSeconds(secondsNeeded)} of the same load`;
    findings.push(
      limit(
        'low-density',
        `${density.toFixed(1)} samples for each instruction line of the hot part, ${densityThreshold} are recommended`,
        longer,
      ),
    );
  }
  for (const { severity, code, message } of attempt.diagnostics) {
    if (severity === 'warning' && !SAID.has(code)) {
      findings.push({ code, severity: SERIOUS.has(code) ? 'limit' : 'note', message });
    }
  }
  return findings;
}

/** Returns a finding about straight-line ranges in code for which the debug information has no function. */
function withoutFunction({ ledger, branchEntries }: Statistics): Finding[] {
  const percent = percentOf(ledger.noFunction, branchEntries);
  if (percent <= TOLERABLE_LOSS) return [];
  const message = `${percent.toFixed(1)} % of the branch entries lead into code that the debug information names no function for`;
  const hint =
    'build the rest of it with -g too, or name the file with its debug information with {--debug-binary}';
  const severity = percent >= MOST ? 'blocker' : 'limit';
  return [{ code: 'code-without-debug-info', severity, message, hint, fix: 'rebuild' }];
}

/** Returns a finding about static functions with the same name, which share one entry of the profile. */
function sharedNames({ kernel, compilers }: BinaryFacts, survey: SampleSurvey): Finding[] {
  const { shared, samples, sharedSamples } = survey;
  if (percentOf(sharedSamples, samples) < FEW_SHARED) return [];
  const names = shared.slice(0, 3).map(({ name, units }) => `${name} in ${units} units`);
  const message = `${formatShare(sharedSamples, samples)} of the samples are in functions of one name in several units \
(${names.join(', ')}), which have one entry of the profile together`;
  // A kernel cannot change the names of its symbols, and rustc makes names unique.
  if (kernel !== undefined || mainTaker(compilers) !== 'clang') return [limit('shared-names', message)];
  return [
    limit(
      'shared-names',
      message,
      'clang -funique-internal-linkage-names, in both builds, gives each its own',
      'rebuild',
    ),
  ];
}

/**
 * Returns a finding about functions without samples. With an option of the kernel, clang takes such functions for
 * cold.
 */
function coverage({ kernel }: BinaryFacts, { functions, sampledFunctions }: SampleSurvey): Finding[] {
  if (kernel?.options['CONFIG_AUTOFDO_PROFILE_ACCURATE'] !== 'y') return [];
  const without = functions - sampledFunctions;
  return [
    {
      code: 'others-count-as-cold',
      severity: 'note',
      message: `${formatCount(without)} of ${plural(functions, 'function')} ${without === 1 ? 'has' : 'have'} no samples, and \
CONFIG_AUTOFDO_PROFILE_ACCURATE makes clang optimise them as cold code`,
      hint: 'record every load that matters, merge the profiles, or turn the option off',
    },
  ];
}

/**
 * Remedies for errors. For all other errors, the remedy is another recording. With `none`, only the message says
 * what helps. A recording without mappings of the kernel or of a module was made without the necessary rights, or
 * before the module was loaded.
 */
const FIXES: Partial<Record<AutofdoErrorCode, Fix>> = {
  NO_DEBUG_INFO: 'rebuild',
  NO_SYMBOLS: 'find',
  NO_MAPPING: 'find',
  BUILD_ID_MISMATCH: 'find',
  BINARY_MISMATCH: 'find',
  ARCHITECTURE_MISMATCH: 'find',
  INPUT_UNREADABLE: 'find',
  INPUT_INVALID: 'find',
  INVALID_OPTIONS: 'none',
  UNSUPPORTED: 'none',
};

/** Warnings that repeat a finding of this file, or the state of the recording. */
const SAID = new Set<DiagnosticCode>([
  'density-low',
  'density-zero',
  'input-damaged',
  'debug-info',
  'no-function',
]);
/** Warnings that samples were left out. All other warnings are about single addresses. */
const SERIOUS = new Set<DiagnosticCode>(['other-build', 'guest-samples', 'instructions-unknown']);
