import { basename, posix } from 'node:path';
import type { BindingOutcome } from '../../native/binding/index.cjs';
import { convertProfile } from '../convert-profile.js';
import { fetchDebugFiles, withFetchedFiles } from '../debuginfod/complete.js';
import { debuginfodSettings } from '../debuginfod/settings.js';
import { describeProfile } from '../describe-profile.js';
import { type SampleSurvey, toFacts } from '../diagnosis/facts.js';
import { binaryFindings, type Finding, inWords } from '../diagnosis/findings.js';
import { type RecordingDiagnosis, recordingDiagnosis, recordingFindings } from '../diagnosis/recording.js';
import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';
import { toResult } from '../generate-profile.js';
import { loadDemangle, runExamine, runFindPlaces, runGenerate } from '../native.js';
import { checkLocal, checkOptions, defined, invalid, list } from '../options/check.js';
import { toBindingOptions } from '../options/generate.js';
import { REPORT_OPTIONS, type ReportOptions } from '../options/report.js';
import { worded } from '../options/wording.js';
import { version } from '../package/version.js';
import { inspectPerfData } from '../perf-data/inspect.js';
import type { PerfDataSummary } from '../perf-data/summary.js';
import type { BinaryResult, Diagnostic, GenerateResult } from '../result.js';
import { readProfile } from '../sample-profile/read-profile.js';
import { finishInTurns } from '../sample-profile/steps.js';
import type { ProfileSummary, SampleProfile } from '../sample-profile/types.js';
import { comparisonWith } from './comparison.js';
import { demangledNames, namesIn } from './names.js';
import { profileReport } from './profile.js';
import { readSources } from './sources.js';
import type { ComparisonReport, ProfileReport, Report, SourcePlace } from './types.js';

/** Sufficient density in samples for each instruction line: llvm-profgen's default. */
const ENOUGH = 50;

/** The options of a report, and the job that runs it. */
interface ReportJob extends ReportOptions {
  onSourceRead: (path: string) => void;
}

/**
 * Reports as data where the weight of profiles lies, and what the recording missed. The command `report` makes a
 * page of this data.
 *
 * Profiles are made from recordings, or finished profiles are read. All counts are exact.
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function report(options: ReportOptions): Promise<Report> {
  return makeReport(options, () => {});
}

/**
 * Makes a report as {@link report} does. Calls `onSourceRead` with the path of each source file that
 * it reads, so that the output replaces none of them.
 */
export async function makeReport(
  given: ReportOptions,
  onSourceRead: (path: string) => void,
): Promise<Report> {
  checkOptions(given, REPORT_OPTIONS);
  const options = { ...given, onSourceRead };
  const profiles = list(options.profile);
  const recordings = [options.perfData, options.perfScript, options.traces].flatMap((given) => list(given));
  if (profiles.length > 0 && recordings.length > 0) {
    throw invalid('finished profiles and recordings were given', 'report about one or the other');
  }
  checkLocal([...profiles, options.base]);
  if ([...profiles, options.base].includes('-'))
    throw invalid('standard input cannot be read twice', 'write the profile to a file');
  return profiles.length > 0 ? reportFinished(profiles, options) : reportRecordings(recordings, options);
}

async function reportFinished(paths: readonly string[], options: ReportJob): Promise<Report> {
  const binaries = list(options.binary);
  if (paths.length > 1 && (options.base !== undefined || binaries.length > 0)) {
    throw invalid(
      'several profiles were given',
      '`base` and `binary` are for one profile; report each by itself',
    );
  }
  checkDebugFiles(options);
  if (binaries.length > 1)
    throw invalid('several binaries were given', 'name the one that the profile is of');
  const profiles: ProfileReport[] = [];
  for (const [index, path] of paths.entries()) {
    options.onProgress?.({ phase: 'report', done: index, total: paths.length });
    profiles.push(await finishedProfile(path, binaries[0], options));
  }
  return { version: version(), recording: undefined, profiles, failures: [], diagnostics: [] };
}

/** Refuses files that a report about finished profiles would not read. */
function checkDebugFiles({ binary, binaryDir, debugBinary, dwp }: ReportJob): void {
  if (binaryDir !== undefined) {
    throw invalid(
      worded('a finished profile does not say which binaries it is of, so {--binary-dir} has no use'),
      worded('name the program of the profile with {--binary}'),
    );
  }
  if (binary === undefined && (debugBinary !== undefined || dwp !== undefined)) {
    throw invalid(
      worded(`${dwp === undefined ? '{--debug-binary}' : '{--dwp}'} was given, and no binary`),
      worded('name the program of the profile with {--binary}, too'),
    );
  }
}

async function finishedProfile(
  path: string,
  binary: string | undefined,
  options: ReportJob,
): Promise<ProfileReport> {
  const { signal, base } = options;
  const profile = await readProfile(path, { signal });
  const { format, density, probeBased, diagnostics } = await describeProfile({ path, top: 0, signal });
  const servers = options.debuginfod === false ? undefined : debuginfodSettings();
  const fetched =
    servers === undefined || binary === undefined ? [] : await fetchDebugFiles([binary], servers, options);
  const comparison = base === undefined ? undefined : await comparisonWith(base, path, undefined, signal);
  const made = await profileReport(
    {
      name: basename(path),
      path,
      format,
      probeBased,
      profile,
      summary: profile.summary ?? (await computedSummary(path, signal)),
      density: { value: density, enough: options.profileDensityThreshold ?? ENOUGH },
      findings: [],
      diagnostics: [...fetched, ...diagnostics],
      ...(await sourceFacts(profile, comparison, binary, options)),
      comparison,
    },
    signal,
  );
  return withSources(made, options);
}

/** Computes the summary of a profile that is text. */
async function computedSummary(path: string, signal: AbortSignal | undefined): Promise<ProfileSummary> {
  const { bytes = new Uint8Array() } = await convertProfile({ input: path, format: 'extbinary', signal });
  const { summary } = await readProfile(bytes, { signal });
  return (
    summary ?? { totalCount: 0n, maxCount: 0n, maxFunctionCount: 0n, counts: 0, functions: 0, entries: [] }
  );
}

async function reportRecordings(recordings: readonly string[], options: ReportJob): Promise<Report> {
  const { profile: _, base, sourceDir: __, onSourceRead: ___, ...generate } = options;
  const request = { ...toBindingOptions(generate), surveySamples: true };
  let outcome: BindingOutcome | undefined;
  const result = await withFetchedFiles(options, async (fetched) => {
    outcome = await runGenerate({ ...request, ...fetched }, options);
    return toResult(outcome, generate);
  });
  if (base !== undefined && result.binaries.length > 1) {
    throw invalid('a base profile was given, and there are several binaries', 'report each binary by itself');
  }
  const recording = await diagnoseRecordings(options, result, outcome?.binaries[0]?.survey);
  const profiles: ProfileReport[] = [];
  for (const [index, binary] of result.binaries.entries()) {
    if (binary.bytes === undefined) continue;
    options.onProgress?.({ phase: 'report', done: index, total: result.binaries.length });
    const survey = outcome?.binaries[index]?.survey;
    profiles.push(await madeProfile(binary, survey, recording, result, options));
  }
  return {
    version: version(),
    recording: {
      files: [...recordings],
      seconds: recording?.seconds,
      statistics: result.statistics,
    },
    profiles,
    failures: result.binaries.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }])),
    diagnostics: ofNoProfile(result),
  };
}

/**
 * Returns the diagnostics that belong to no single profile. The job repeats the diagnostics of each binary, with
 * the name of the file if there are several; failures are reported elsewhere.
 */
function ofNoProfile({ diagnostics, binaries }: GenerateResult): Diagnostic[] {
  const told = new Set<string>();
  for (const { path, bytes, diagnostics: own } of binaries) {
    if (bytes === undefined) continue;
    for (const { message } of own) told.add(message).add(`${path}: ${message}`);
  }
  return diagnostics.filter(({ code, message }) => code !== 'binary-without-profile' && !told.has(message));
}

/** Diagnoses the recordings. Returns `undefined` if the input is text, or came through a pipe. */
async function diagnoseRecordings(
  { perfData, profileDensityThreshold, signal }: ReportOptions,
  result: GenerateResult,
  survey: SampleSurvey | undefined,
): Promise<RecordingDiagnosis | undefined> {
  const paths = list(perfData);
  if (paths.length === 0 || paths.includes('-')) return undefined;
  const files: PerfDataSummary[] = [];
  for (const path of paths) files.push(await inspectPerfData(path, { signal }));
  return recordingDiagnosis(files, result, survey, profileDensityThreshold);
}

async function madeProfile(
  binary: BinaryResult,
  survey: SampleSurvey | undefined,
  recording: RecordingDiagnosis | undefined,
  result: GenerateResult,
  options: ReportJob,
): Promise<ProfileReport> {
  const bytes = binary.bytes ?? new Uint8Array();
  const profile = await readProfile(bytes, { signal: options.signal });
  const { path, name, buildId, statistics, diagnostics } = binary;
  const { findings, pseudoProbes } = await examine(path, survey, recording, result, options);
  const probeBased = pseudoProbes && profile.functions.some(({ checksum }) => checksum !== undefined);
  const comparison =
    options.base === undefined ? undefined : await comparisonWith(options.base, name, bytes, options.signal);
  const made = await profileReport(
    {
      name,
      path,
      buildId,
      probeBased,
      profile,
      summary: profile.summary ?? (await computedSummary(path, options.signal)),
      density: { value: statistics.density, enough: options.profileDensityThreshold ?? ENOUGH },
      statistics,
      survey,
      findings,
      diagnostics,
      ...(await sourceFacts(profile, comparison, path, options)),
      comparison,
    },
    options.signal,
  );
  return withSources(made, options);
}

/**
 * Returns the findings that limit the worth of a profile of the binary. If there are several binaries, facts that
 * only a recording of one binary tells are left out.
 */
async function examine(
  path: string,
  survey: SampleSurvey | undefined,
  recording: RecordingDiagnosis | undefined,
  result: GenerateResult,
  options: ReportOptions,
): Promise<{ findings: Finding[]; pseudoProbes: boolean }> {
  const { debugBinary, signal } = options;
  const facts = toFacts(await runExamine(debugRequest(path, options), { signal }), debugBinary);
  const findings = binaryFindings(facts, survey);
  if (recording !== undefined && result.binaries.length === 1) {
    findings.push(...recordingFindings(facts, recording, result));
  }
  return { findings: findings.map(inWords), pseudoProbes: facts.pseudoProbes };
}

/** Returns the names in the source, and the places where functions are declared. */
async function sourceFacts(
  profile: SampleProfile,
  comparison: ComparisonReport | undefined,
  binary: string | undefined,
  options: ReportOptions,
): Promise<{ names: Map<string, string>; places: Map<string, SourcePlace> }> {
  const { signal } = options;
  const all = await finishInTurns(namesIn(profile.functions), signal);
  const ofBase = await finishInTurns(namesIn([...(comparison?.functions.values() ?? [])]), signal);
  const names = await finishInTurns(
    demangledNames(new Set([...all, ...ofBase]), await loadDemangle()),
    signal,
  );
  if (binary === undefined || profile.md5) return { names, places: new Map() };
  const request = { ...debugRequest(binary, options), names: [...all] };
  const found = await runFindPlaces(request, { signal });
  const places = found.map(({ name, file, line }) => [name, { file: posix.normalize(file), line }] as const);
  return { names, places: new Map(places) };
}

/** Returns the report with the source lines of its functions. */
async function withSources(
  made: ProfileReport,
  { sourceDir, signal, onSourceRead }: ReportJob,
): Promise<ProfileReport> {
  if (sourceDir === undefined) return made;
  if (made.locations === 'probes') {
    const message = `no source of ${sourceDir} is shown: the profile is by pseudo probes, which have no lines`;
    return { ...made, diagnostics: [...made.diagnostics, { severity: 'note', code: 'debug-info', message }] };
  }
  try {
    const sources = await readSources(sourceDir, made.functions, made.places, onSourceRead, signal);
    return { ...made, sources };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new AutofdoError('INPUT_UNREADABLE', `${sourceDir} cannot be read: ${failureReason(cause)}`, {
      hint: 'name the folder that the source is in',
      path: sourceDir,
      cause,
    });
  }
}

function debugRequest(binary: string, { debugBinary, dwp, debuginfod }: ReportOptions) {
  const debuginfodCache = debuginfod === false ? undefined : debuginfodSettings()?.cache;
  return defined({ binary, debugBinary, dwp, debuginfodCache });
}
