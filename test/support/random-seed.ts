import fc from 'fast-check';

// With FAST_CHECK_SEED, property tests draw the same values in each run. Without, they draw new ones.
const seed = process.env['FAST_CHECK_SEED'];
if (seed) fc.configureGlobal({ seed: Number(seed) });
