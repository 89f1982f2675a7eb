import { describe, expect, it } from 'vitest';
import { generateProfile, type Ledger } from '../../src/index.js';
import { fixture } from '../support/fixtures.js';
import {
  BRANCH_EVENT,
  type BranchEntry,
  PerfDataBuilder,
  SAMPLE_TYPE,
} from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';

const { binary } = fixture('calc-x86_64');
const temporary = temporaryFolder();
const BASE = 0x5000_0000n;
/** PERF_CONTEXT_USER of Linux: the addresses after it belong to the program. */
const CONTEXT_USER = 2n ** 64n - 512n;
/** Makes a branch entry at addresses of calc's code, which `objdump -d` prints. */
const calc = (from: bigint, to: bigint, flags = 0n): BranchEntry => ({
  from: BASE + from,
  to: BASE + to,
  flags,
});
/** The entry of `jle` in main, its target, and the next branch from there. */
const JUMP = calc(0x11f1n, 0x1232n);
const NEXT = calc(0x1244n, 0x125an);

/**
 * Each class, and branch stacks of one process with an entry of this class. All other entries of the stacks are
 * used.
 */
const STACKS: [keyof Ledger, pid: number, stack: BranchEntry[]][] = [
  ['used', 1, [NEXT, JUMP]],
  ['outsideBinary', 1, [{ from: 0x6000_0100n, to: 0x6000_0200n }]],
  ['unmapped', 1, [{ from: 0x9000_0100n, to: 0x9000_0200n }]],
  // A file with the same name and another build id.
  ['otherBuild', 2, [JUMP]],
  // An address inside of two `push` instructions.
  ['notInstruction', 1, [calc(0x11e6n, 0x11e8n)]],
  // The stub strtol@plt.
  ['stub', 1, [calc(0x1090n, 0x1096n)]],
  ['wrongPath', 1, [calc(0x11f1n, 0x1232n, 1n << 24n)]],
  ['unfilledSlot', 1, [{ from: 0n, to: 0n }]],
  ['deselected', 3, [JUMP]],
  // The range runs from main's first instruction past the call of strtol.
  ['crossesBarrier', 1, [calc(0x120an, 0x123cn), calc(0x11f1n, 0x11e0n)]],
  // The range goes through _start, which has no debug information. The sample was taken at main's first
  // instruction; see `recording`.
  ['unsureStack', 1, [JUMP]],
  ['noFunction', 1, [calc(0x110bn, 0x11e0n), calc(0x11f1n, 0x10f0n)]],
];

/**
 * The class of samples of Arm SPE, which have no stacks. `native/crates/profgen/tests/arm_spe.rs` has entries of
 * this class.
 */
const OF_ARM_SPE: keyof Ledger = 'notTaken';

function recording(stacks: typeof STACKS): string {
  const sampleType = (BRANCH_EVENT.sampleType ?? 0n) | SAMPLE_TYPE.callchain;
  const callChains = { ...BRANCH_EVENT, sampleType };
  const builder = new PerfDataBuilder().event(callChains);
  const wrongId = new Uint8Array(20).fill(7);
  for (const pid of [1, 3]) builder.mmap(pid, BASE, 0x5000n, '/opt/calc');
  builder.mmap(1, 0x6000_0000n, 0x1000n, '/lib/other.so');
  const body = builder.bytes().u32(2).u32(2).u64(BASE).u64(0x5000).u64(0);
  body.raw([20, 0, 0, 0]).raw(wrongId).u32(5).u32(2).text('/usr/bin/calc');
  builder.record(10, 2 | (1 << 14), body.toBytes());
  for (const [name, pid, branches] of stacks) {
    const ip = BASE + (name === 'unsureStack' ? 0x11e0n : 0x1232n);
    builder.sample({ pid, ip, callChain: [CONTEXT_USER, ip], branches });
  }
  return temporary.write(`${stacks.map(([name]) => name).join('-')}.data`, builder.file());
}

async function account(stacks: typeof STACKS): Promise<{ ledger: Ledger; branchEntries: bigint }> {
  const perfData = recording(stacks);
  const { statistics } = await generateProfile({ binary, perfData, pid: [1, 2] });
  return statistics;
}

describe('the ledger', () => {
  it.each(STACKS.slice(1))('knows entries of the class %s', async (name, pid, stack) => {
    const [used] = STACKS;
    if (used === undefined) throw new Error('nothing is used');
    const { ledger, branchEntries } = await account([used, [name, pid, stack]]);
    const others = Object.fromEntries(Object.keys(ledger).map((key) => [key, 0n]));
    expect(ledger).toEqual({ ...others, used: BigInt(1 + stack.length), [name]: 1n });
    expect(branchEntries).toBe(BigInt(2 + stack.length));
  });

  it('gives each entry one class', async () => {
    const { ledger, branchEntries } = await account(STACKS);
    const { [OF_ARM_SPE]: notTaken, ...others } = ledger;
    expect(notTaken).toBe(0n);
    expect(Object.keys(others).sort()).toEqual(STACKS.map(([name]) => name).sort());
    expect(Object.values(others).reduce((sum, entries) => sum + entries, 0n)).toBe(branchEntries);
    expect(Object.values(others).every((entries) => entries > 0)).toBe(true);
  });
});
