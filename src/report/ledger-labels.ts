import type { EntryClass } from '../result.js';

/** What became of branch entries, in the words for people. */
export const CLASS_LABELS: Record<EntryClass, string> = {
  used: 'used',
  outsideBinary: 'outside the binary',
  unmapped: 'not mapped anywhere',
  otherBuild: 'in another build of the binary',
  notInstruction: 'not at an instruction',
  stub: 'in linkage stubs, or code without symbols',
  wrongPath: 'speculative, never executed',
  unfilledSlot: 'unfilled slots',
  deselected: 'not selected',
  unsureStack: 'in samples without a sure call stack',
  crossesBarrier: 'followed by an impossible run',
  noFunction: 'followed by a run outside any function',
};

/** What a class means for the profile: its entries count, are none of its business, or are lost to it. */
export const CLASS_KINDS: Record<EntryClass, 'used' | 'elsewhere' | 'lost'> = {
  used: 'used',
  outsideBinary: 'elsewhere',
  stub: 'elsewhere',
  wrongPath: 'elsewhere',
  unfilledSlot: 'elsewhere',
  deselected: 'elsewhere',
  unmapped: 'lost',
  otherBuild: 'lost',
  notInstruction: 'lost',
  crossesBarrier: 'lost',
  noFunction: 'lost',
  unsureStack: 'lost',
};
