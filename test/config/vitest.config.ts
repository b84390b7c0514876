import { defineConfig } from 'vitest/config';

/** Unit and integration tests run side by side; end-to-end tests (real X server, processes, sockets) one at a time. */
export default defineConfig({
  test: {
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
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});
