import { listStage, STAGES, type Stage } from './folders.ts';

/** A segment file as the command line shows it. */
export interface ListedSegment {
  readonly id: string;
  readonly stage: Stage;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * All segment files of a state folder, oldest first, each id once at the furthest stage it was seen in. Only reads, so
 * that it works with or without the daemon; a file may have moved on by the time it is opened.
 */
export function listSegments(stateDir: string): ListedSegment[] {
  // From the first stage to the last, as segments move, so that one that moves meanwhile is not missed.
  const found = new Map<string, ListedSegment>();
  for (const stage of STAGES) {
    for (const { id, name, path, sizeBytes } of listStage(stateDir, stage)) {
      const key = stage === 'quarantine' ? name : id;
      found.set(key, { id, stage, path, sizeBytes });
    }
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
