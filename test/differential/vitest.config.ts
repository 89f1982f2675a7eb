import { defineConfig } from 'vitest/config';

// Builds programs, records them and asks two generators: minutes, and tools from outside. So these
// tests are a run of their own, `npm run test:differential`.
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
