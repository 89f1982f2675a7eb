import { defineConfig } from 'vitest/config';

// These tests build programs, record them and run two generators. They take minutes and need other tools, so they
// are a run of their own, `npm run test:differential`.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.diff.ts'],
    globalSetup: ['./global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
