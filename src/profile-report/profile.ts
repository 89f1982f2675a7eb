import type { SampleSurvey } from '../diagnosis/facts.js';
import type { Finding } from '../diagnosis/findings.js';
import type { BinaryStatistics, Diagnostic } from '../result.js';
import { finishInTurns } from '../sample-profile/steps.js';
import type { ProfileFormat, ProfileSummary, SampleProfile } from '../sample-profile/types.js';
import { functionReports } from './functions.js';
import { temperatureShares, thresholdsOf } from './temperature.js';
import type { ComparisonReport, ProfileReport, SourcePlace } from './types.js';

/** What a profile was read or made from, and what is known beside it. */
export interface ProfileInput {
  name: string;
  path: string;
  buildId?: string | undefined;
  format?: ProfileFormat | undefined;
  probeBased: boolean;
  profile: SampleProfile;
  /** Of the profile, although it may be text, which has none. */
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

/** Everything about one profile but its source. The event loop has its turns in between. */
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
