import { AutofdoError, type AutofdoErrorCode } from '../errors.js';
import type { PerfDataSummary } from '../perf-data/summary.js';
import { formatSeconds } from '../report/format.js';
import type { Diagnostic, EntryClass, Statistics } from '../result.js';
import { type Finding, limit } from './findings.js';

/** llvm-profgen's default. */
const DENSITY_THRESHOLD = 50;
/** Percentage of lost branch entries that deserves a look. Assembly without DWARF costs a kernel 5 to 10 %. */
const TOLERABLE_LOSS = 15;

/** Entries that should have counted but could not, as `maxLoss` has them. */
const LOST: readonly EntryClass[] = [
  'otherBuild',
  'notInstruction',
  'crossesBarrier',
  'noFunction',
  'unmapped',
];

/** What a recording is worth for a binary. */
export interface RecordingDiagnosis {
  /** What each file holds, and whether it can be used, as `inspectPerfData` tells. */
  files: PerfDataSummary[];
  /** Seconds from the first sample to the last, all files together. */
  seconds: number;
  /** Why no profile can be made. */
  error: { code: AutofdoErrorCode; message: string; hint: string | undefined } | undefined;
  /** What came of the samples; undefined with `error`. */
  statistics: Statistics | undefined;
  /** Percentage of the branch entries that the binary explains. */
  explained: number | undefined;
  /** Percentage of the branch entries that should have counted but could not. */
  lost: number | undefined;
  /** Samples for each instruction line of the hot part that are recommended. */
  densityThreshold: number;
  /** Seconds of such a recording that would reach it; undefined where that cannot be said. */
  secondsNeeded: number | undefined;
}

/** What making a profile of the recording came to. */
export type Attempt = { statistics: Statistics; diagnostics: Diagnostic[] } | AutofdoError;

export function recordingDiagnosis(
  files: PerfDataSummary[],
  attempt: Attempt,
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
      explained: undefined,
      lost: undefined,
      densityThreshold,
      secondsNeeded: undefined,
    };
  }
  const { statistics } = attempt;
  const { ledger, branchEntries, density } = statistics;
  const share = (classes: readonly EntryClass[]) =>
    branchEntries === 0 ? 0 : (classes.reduce((sum, name) => sum + ledger[name], 0) / branchEntries) * 100;
  return {
    files,
    seconds,
    error: undefined,
    statistics,
    explained: share(['used']),
    lost: share(LOST),
    densityThreshold,
    // Density grows with the number of samples, and that with time.
    secondsNeeded: density > 0 && seconds > 0 ? (seconds * densityThreshold) / density : undefined,
  };
}

function duration({ timeSpan }: PerfDataSummary): number {
  return timeSpan === undefined ? 0 : Math.max(0, Number(timeSpan.last) - Number(timeSpan.first));
}

/** What speaks against a profile from a recording. */
export function recordingFindings(recording: RecordingDiagnosis, attempt: Attempt): Finding[] {
  const findings: Finding[] = [];
  for (const { file, autofdo } of recording.files) {
    for (const reason of autofdo.reasons) {
      findings.push({
        code: autofdo.usable ? 'recording-limited' : 'recording-unusable',
        severity: autofdo.usable ? 'limit' : 'blocker',
        message: `${file}: ${reason}`,
        ...(autofdo.advice !== undefined && { hint: autofdo.advice }),
      });
    }
  }
  if (attempt instanceof AutofdoError) {
    // One reason is enough if the recording itself is to blame.
    if (findings.some(({ severity }) => severity === 'blocker')) return findings;
    const { message, hint } = attempt;
    return [
      ...findings,
      { code: 'no-profile', severity: 'blocker', message, ...(hint !== undefined && { hint }) },
    ];
  }
  const { lost, seconds, secondsNeeded, densityThreshold } = recording;
  if (lost !== undefined && lost > TOLERABLE_LOSS) {
    findings.push(
      limit(
        'entries-lost',
        `${lost.toFixed(1)} % of the branch entries are lost`,
        'the ledger above says where; a binary that is not the one recorded is the usual cause',
      ),
    );
  }
  const { density } = attempt.statistics;
  if (density < densityThreshold) {
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

/** Warnings about what findings above, or the state of the file, say already. */
const SAID = new Set(['density-low', 'density-zero', 'input-damaged', 'debug-info']);
/** Warnings that samples were left out; the others are about single addresses. */
const SERIOUS = new Set(['other-build', 'guest-samples']);
