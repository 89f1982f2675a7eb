import { describe, expect, it } from 'vitest';
import { generateProfile, inspectPerfData } from '../../src/index.js';
import { allFixtures } from '../support/fixtures.js';

describe.each(allFixtures())('$name', ({ binary, perfData }) => {
  it('has the same counts for the Rust and for the TypeScript reader', async () => {
    const [{ statistics }, summary] = await Promise.all([
      generateProfile({ binary, perfData, skipSymbolization: true }),
      inspectPerfData(perfData),
    ]);
    expect(summary.complete).toBe(true);
    expect({
      samples: statistics.samples,
      branchSamples: statistics.branchSamples,
      branchEntries: statistics.branchEntries,
      lost: statistics.lostRecords,
    }).toEqual({
      samples: summary.samples,
      branchSamples: summary.branchSamples,
      branchEntries: summary.branchEntries,
      lost: Math.max(summary.lost.records, summary.lost.samples),
    });
  });
});
