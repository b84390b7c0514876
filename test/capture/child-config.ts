import type { CaptureConfig } from '../../src/core/capture.ts';

/** What the tests and the benchmark of capture ask for: every move, shortcuts, nothing left out. */
export const CONFIG: CaptureConfig = {
  backend: 'uiohook',
  keys: 'shortcuts',
  mouseHz: 1000,
  focusUnknown: 'record',
  fullApps: [],
  exclude: { apps: [], titles: [] },
  replay: null,
};
