import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/random-seed.ts'],
    testTimeout: 30_000,
    // The browser starts slowly on a busy machine.
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
