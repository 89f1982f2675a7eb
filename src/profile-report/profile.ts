import type { SampleSurvey } from '../diagnosis/facts.js';
import type { Finding } from '../diagnosis/findings.js';
import type { BinaryStatistics, Diagnostic } from '../result.js';
import { finishInTurns } from '../sample-profile/steps.js';
import type { ProfileFormat, ProfileSummary, SampleProfile } from '../sample-profile/types.js';
import { functionReports } from './functions.js';
import { temperatureShares, thresholdsOf } from './temperature.js';
import type { ComparisonReport, ProfileReport, SourcePlace } from './types.js';

/** The profile, where it came from, and facts from other files. */
export interface ProfileInput {
  name: string;
  path: string;
  buildId?: string | undefined;
  format?: ProfileFormat | undefined;
  probeBased: boolean;
  profile: SampleProfile;
  /** Summary of the profile, even if the profile is text, which holds no summary. */
  summary: ProfileSummary;
  density: ProfileReport['density'];
  statistics?: BinaryStatistics | undefined;
  survey?: SampleSurvey | undefined;
  findings: Finding[];
  diagnostics: Diagnostic[];
  names: Map<string, string>;
  places: Map<string, SourcePlace>;
  comparison: ComparisonReport | undefined;
}

/** Makes the report about one profile, without its source. Other work of the event loop runs in between. */
export async function profileReport(
  input: ProfileInput,
  signal: AbortSignal | undefined,
): Promise<ProfileReport> {
  const { profile, summary, survey } = input;
  const thresholds = thresholdsOf(summary);
  const temperatures = await finishInTurns(temperatureShares(profile.functions, thresholds), signal);
  const { hot, warm, cold } = temperatures;
  return {
    name: input.name,
    path: input.path,
    buildId: input.buildId,
    format: input.format,
    locations: input.probeBased ? 'probes' : 'lines',
    contextSensitive: profile.contextSensitive,
    md5: profile.md5,
    totalCount: hot.samples + warm.samples + cold.samples,
    totalSamples: profile.functions.reduce((sum, { total }) => sum + total, 0n),
    maxCount: summary.maxCount,
    density: input.density,
    thresholds,
    temperatures,
    coverage: survey && { functions: survey.functions, sampledFunctions: survey.sampledFunctions },
    statistics: input.statistics,
    findings: input.findings,
    diagnostics: input.diagnostics,
    functions: await finishInTurns(functionReports(profile, thresholds), signal),
    names: input.names,
    places: input.places,
    sources: new Map(),
    comparison: input.comparison,
  };
}
