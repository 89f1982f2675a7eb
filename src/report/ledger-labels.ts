import type { EntryClass } from '../result.js';

/** Names of the classes of branch entries, for people. */
export const CLASS_LABELS: Record<EntryClass, string> = {
  used: 'used',
  outsideBinary: 'outside the binary',
  unmapped: 'not mapped anywhere',
  otherBuild: 'in another build of the binary',
  notInstruction: 'not at an instruction',
  stub: 'in linkage stubs, or code without symbols',
  wrongPath: 'speculative, never executed',
  unfilledSlot: 'unfilled slots',
  notTaken: 'branches not taken',
  deselected: 'not selected',
  unsureStack: 'in samples without a sure call stack',
  crossesBarrier: 'followed by an impossible run',
  noFunction: 'followed by a run outside any function',
};

/** Explanation of each class, with a remedy if there is one. */
export const CLASS_NOTES: Record<EntryClass, string> = {
  used: 'They are in the profile.',
  outsideBinary: 'Both ends lie in other files, such as libraries or the kernel.',
  stub: 'They lie in linkage stubs, or in code of the binary that has no symbols.',
  wrongPath: 'The CPU marked them as speculation that came to nothing.',
  unfilledSlot: 'The CPU had not filled these slots of its branch buffer yet.',
  notTaken:
    'Arm SPE sampled these branches, and they were not taken. The code that they lie in counts with the branch at its end.',
  deselected: 'Their samples are of another event, process, thread, CPU or time than was asked for.',
  unmapped: 'No file is known to lie there. Start perf before the program, so that it sees all mappings.',
  otherBuild: 'They are of another build of the binary. Name the build that ran with --binary.',
  notInstruction:
    'No instruction of the binary begins there. If there are many, this is not the binary that ran.',
  unsureStack: 'Their samples have no call stack, or one that may lack a caller.',
  crossesBarrier:
    'The code that would have run after them passes a call, a return or a jump. Interrupts and signals do that.',
  noFunction:
    'The code after them is in no function of the debug information. Compile it with -g; assembly has no lines.',
};

/** Meaning of a class for the profile: its entries are counted, belong to other code, or are lost. */
export const CLASS_KINDS: Record<EntryClass, 'used' | 'elsewhere' | 'lost'> = {
  used: 'used',
  outsideBinary: 'elsewhere',
  stub: 'elsewhere',
  wrongPath: 'elsewhere',
  unfilledSlot: 'elsewhere',
  notTaken: 'elsewhere',
  deselected: 'elsewhere',
  unmapped: 'lost',
  otherBuild: 'lost',
  notInstruction: 'lost',
  crossesBarrier: 'lost',
  noFunction: 'lost',
  unsureStack: 'lost',
};
