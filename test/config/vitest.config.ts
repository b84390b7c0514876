import { defineConfig } from 'vitest/config';

/**
 * Two files at a time, of end-to-end tests too: most of their time they wait, each has a display, folders and sockets of
 * its own, and none measures speed.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: ['test/config/global-setup.ts'],
    // Generous, since they bound hangs and not speed: shared machines are slow at times.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'] } },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});
