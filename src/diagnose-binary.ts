import { fetchDebugFiles } from './debuginfod/complete.js';
import { debuginfodSettings } from './debuginfod/settings.js';
import { type BinaryFacts, type SampleSurvey, toFacts } from './diagnosis/facts.js';
import { binaryFindings, type Finding, inWords } from './diagnosis/findings.js';
import { type NextStep, nextSteps } from './diagnosis/next-steps.js';
import {
  type Attempt,
  type RecordingDiagnosis,
  recordingDiagnosis,
  recordingFindings,
} from './diagnosis/recording.js';
import { weigh } from './diagnosis/weighing.js';
import { AutofdoError, type AutofdoErrorCode } from './errors.js';
import { toResult } from './generate-profile.js';
import { runExamine, runGenerate } from './native.js';
import { checkLocal, checkOptions, defined, invalid, list } from './options/check.js';
import { DIAGNOSE_OPTIONS, type DiagnoseOptions } from './options/diagnose.js';
import { toBindingOptions } from './options/generate.js';
import { inspectPerfData } from './perf-data/inspect.js';
import type { PerfDataSummary } from './perf-data/summary.js';
import { rawTrace } from './perf-data/verdict.js';

/** The worth of a binary, and of a recording of it, for AutoFDO. */
export interface BinaryDiagnosis {
  binary: string;
  /**
   * `good`: nothing was found against a profile. `limited`: a profile can be made; `findings` has its limits.
   * `unusable`: no useful profile can be made; `findings` has the blockers.
   */
  verdict: 'good' | 'limited' | 'unusable';
  /** Facts that prevent a profile or limit its worth, blockers first. */
  findings: Finding[];
  facts: BinaryFacts;
  /** The worth of the recording; undefined if no recording was given. */
  recording: RecordingDiagnosis | undefined;
  /** The commands to run, in order. */
  next: NextStep[];
}

const ORDER = ['blocker', 'limit', 'note'];

/**
 * Tells whether a binary, and a recording of it, are fit for AutoFDO, before time is spent on either.
 *
 * Without a recording, only headers and a little of the debug information are read. With a recording, a profile is
 * made and thrown away.
 *
 * @throws AutofdoError if the binary is not an ELF file for which profiles can be made. A recording that cannot be
 * used is no error but a finding.
 */
export async function diagnoseBinary(options: DiagnoseOptions): Promise<BinaryDiagnosis> {
  checkOptions(options, DIAGNOSE_OPTIONS);
  const { binary, debugBinary, dwp, signal } = options;
  if (typeof binary !== 'string' || binary === '') throw invalid('no binary was given', 'set `binary`');
  const perfData = list(options.perfData);
  checkLocal([binary, ...perfData]);
  if (perfData.includes('-')) {
    throw invalid('standard input cannot be read twice', 'write the recording to a file');
  }
  const servers = options.debuginfod === false ? undefined : debuginfodSettings();
  const fetched =
    servers && (await fetchDebugFiles([binary], servers, { ...options, onProgress: undefined }));
  const debuginfodCache = servers?.cache;
  const request = defined({ binary, debugBinary, dwp, debuginfodCache });
  const facts = toFacts(await runExamine(request, { signal }), debugBinary);
  const given = perfData.length === 0 ? undefined : await tryRecording(perfData, options, debuginfodCache);
  const findings = binaryFindings(facts, given?.survey);
  const binaryUsable = !findings.some(isBlocker);
  let recording: RecordingDiagnosis | undefined;
  if (given !== undefined) {
    const { files, attempt, survey } = given;
    recording = recordingDiagnosis(files, attempt, survey, options.profileDensityThreshold);
    const own = recordingFindings(facts, recording, attempt);
    // A fault of the binary is the reason why no profile can be made, so the finding `no-profile` would repeat it.
    findings.push(...own.filter(({ code }) => binaryUsable || code !== 'no-profile'));
  }
  findings.push(
    ...(fetched ?? []).map(({ code, message }): Finding => ({ code, severity: 'note', message })),
  );
  if (dwp !== undefined && facts.split.units === 0) {
    const message = `the package ${dwp} is not used: the debug information of the program is not split`;
    findings.push({ code: 'package-unused', severity: 'note', message });
  }
  findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const usable = !findings.some(isBlocker);
  const recordingUsable = recording !== undefined && usable;
  const { compilers } = weigh(facts, given?.survey);
  return {
    binary,
    verdict: usable
      ? findings.some(({ severity }) => severity === 'limit')
        ? 'limited'
        : 'good'
      : 'unusable',
    findings: findings.map(inWords),
    facts,
    recording,
    next: nextSteps({
      facts,
      binary,
      perfData,
      findings,
      compilers,
      recordingUsable,
      failure: recording?.error?.code,
      inject: usable ? undefined : recording?.files.map((file) => rawTrace(file)?.inject).find(Boolean),
    }),
  };
}

/** Errors that say nothing about the recording. */
const OF_THIS_PACKAGE: readonly AutofdoErrorCode[] = ['ADDON_UNAVAILABLE', 'INTERNAL'];

function isBlocker({ severity }: Finding): boolean {
  return severity === 'blocker';
}

/** Inspects the recording and makes a profile of it. An error of one part does not keep the other from running. */
async function tryRecording(
  perfData: readonly string[],
  options: DiagnoseOptions,
  debuginfodCache: string | undefined,
): Promise<{ files: PerfDataSummary[]; attempt: Attempt; survey: SampleSurvey | undefined }> {
  let files: PerfDataSummary[] = [];
  try {
    files = await Promise.all(perfData.map((path) => inspectPerfData(path, { signal: options.signal })));
    const generate = options as DiagnoseOptions & { perfData: string[] };
    const outcome = await runGenerate(
      defined({ ...toBindingOptions(generate), debuginfodCache, surveySamples: true }),
      options,
    );
    return { files, attempt: toResult(outcome, generate), survey: outcome.binaries[0]?.survey };
  } catch (error) {
    const isOfRecording = error instanceof AutofdoError && !OF_THIS_PACKAGE.includes(error.code);
    if (isOfRecording && !options.signal?.aborted) {
      return { files, attempt: error, survey: undefined };
    }
    throw error;
  }
}
