/** What is known of the window in use. It stays in the capture process. */
export interface WindowFacts {
  /** What its application is called: class, instance, names of the program. */
  readonly names: readonly string[];
  /** Its title, in every form it states it. */
  readonly titles: readonly string[];
}

/** `policy.exclude` */
export interface Exclusion {
  readonly apps: readonly string[];
  readonly titles: readonly string[];
}

/** Linux keeps the first 15 bytes of a program's name (`TASK_COMM_LEN`, proc(5)). */
const COMM_BYTES = 15;

/** Whether nothing may be recorded while the window is in use. */
export function isExcluded(window: WindowFacts, exclusion: Exclusion): boolean {
  return isNamed(window, exclusion.apps) || hasTitle(window, exclusion.titles);
}

/**
 * Whether one of `apps` is the name of the window's application: the whole name, whatever the case. A name of 15 bytes
 * also stands for a longer one that begins with it, since the system may have cut it there.
 */
export function isNamed({ names }: WindowFacts, apps: readonly string[]): boolean {
  const folded = names.map((name) => fold(name.trim()));
  return apps.some((app) => {
    const wanted = fold(app.trim());
    return folded.some((name) => name === wanted || (isCut(name) && wanted.startsWith(name)));
  });
}

/** Whether one of `titles` stands anywhere in the window's title, whatever the case. */
function hasTitle(window: WindowFacts, titles: readonly string[]): boolean {
  const folded = window.titles.map(fold);
  return titles.some((title) => folded.some((text) => text.includes(fold(title))));
}

/** Compatible forms become one (Unicode Standard Annex 15, NFKC): a no-break space is a space, `ﬁ` is `fi`. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function isCut(name: string): boolean {
  return new TextEncoder().encode(name).length === COMM_BYTES;
}
