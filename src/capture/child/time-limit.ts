import type { Delay } from '../delay-node.ts';

/** What `answer` gives, or `late` when it does not come within `limitMs`. */
export function withinTime<T>(answer: Promise<T>, limitMs: number, delay: Delay): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = delay(limitMs, () => resolve('late'));
    answer.then(resolve, reject).finally(cancel);
  });
}
