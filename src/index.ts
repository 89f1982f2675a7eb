export { type CollectResult, type Counted, collectTraces, type WrittenShard } from './collect-traces.js';
export {
  type CompareResult,
  compareProfiles,
  type FunctionChange,
  type Overlap,
  type SampleOverlap,
  type TargetShift,
} from './compare-profiles.js';
export { type ConvertResult, convertProfile } from './convert-profile.js';
export { describeProfile, type ProfileDescription } from './describe-profile.js';
export { type BinaryDiagnosis, diagnoseBinary } from './diagnose-binary.js';
export type {
  BinaryFacts,
  CompilerCounts,
  CompilerFacts,
  KernelFacts,
  ProfilingFlag,
  SampleSurvey,
} from './diagnosis/facts.js';
export type { Finding, Fix } from './diagnosis/findings.js';
export type { NextStep } from './diagnosis/next-steps.js';
export type { RecordingDiagnosis } from './diagnosis/recording.js';
export type { DiagnosticCode } from './diagnostic-code.js';
export { AutofdoError, type AutofdoErrorCode, type AutofdoErrorDetails } from './errors.js';
export { generateProfile } from './generate-profile.js';
export { inspectTraces, type TracedBinary, type TracesSummary } from './inspect-traces.js';
export {
  type MergeResult,
  mergeProfiles,
  type SkippedProfile,
} from './merge-profiles.js';
export type { JobControl } from './native.js';
export type { CollectOptions } from './options/collect.js';
export type { CompareOptions } from './options/compare.js';
export type { DescribeOptions } from './options/describe.js';
export type { DiagnoseOptions } from './options/diagnose.js';
export type { GenerateFormat, GenerateOptions } from './options/generate.js';
export type { ConvertOptions, MergeOptions, WeightedProfile } from './options/merge.js';
export type { ReportOptions } from './options/report.js';
export { type InspectOptions, inspectPerfData } from './perf-data/inspect.js';
export type { EventSummary, ImageSummary, PerfDataSummary } from './perf-data/summary.js';
export { report } from './profile-report/report.js';
export type {
  CallReport,
  ComparisonReport,
  Coverage,
  FunctionReport,
  LineCount,
  ProfileReport,
  RecordingReport,
  Report,
  SourceLines,
  SourcePlace,
  Temperature,
  TemperatureShare,
  Thresholds,
} from './profile-report/types.js';
export type { Phase, Progress } from './progress.js';
export type {
  BinaryResult,
  BinaryStatistics,
  Diagnostic,
  EntryClass,
  GenerateResult,
  Ledger,
  PhaseTiming,
  Statistics,
} from './result.js';
export { parseProfile, type ReadOptions, readProfile } from './sample-profile/read-profile.js';
export type {
  BodyRecord,
  CallerFrame,
  CallTarget,
  FunctionSamples,
  InlinedFunction,
  LineLocation,
  ProfileFormat,
  ProfileSummary,
  SampleProfile,
  SummaryEntry,
} from './sample-profile/types.js';
