import { defineConfig } from 'vitest/config';

/**
 * End-to-end tests come first, three files at a time: most of their time they wait, and each has a display, folders and
 * sockets of its own. The others, which compute, come two at a time. None measures speed.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/config/global-setup.ts'],
    // Generous, since they bound hangs and not speed: shared machines are slow at times.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
          testTimeout: 180_000,
          hookTimeout: 90_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
