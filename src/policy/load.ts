import type { LoadedPolicy, Policy, PolicyOrigin, PolicyProblem } from '../core/policy.ts';
import { mergePolicy, overlayPolicy, POLICY_ENTRIES } from '../core/policy-lattice.ts';
import { CROSS_CHECKS } from './cross-checks.ts';
import { DEFAULT_POLICY } from './defaults.ts';
import { type ParsedFile, parsePolicyFile } from './parse-file.ts';
import { policyId } from './policy-id.ts';
import { dropInFolder, type PolicyPaths, type Refused } from './policy-outcome.ts';
import { listConfig, type Ownership, readConfig } from './read-config.ts';

type Accepted = Extract<ParsedFile, { kind: 'ok' }>;

const NOTHING: Accepted = { kind: 'ok', part: {}, paths: new Set(), where: () => '' };

/**
 * Reads the policy with its drop-ins and the preferences, each of which may be absent, and merges them. A file that is wrong anywhere,
 * or that others can change, is refused whole, and then nothing is loaded: to leave out a person's preferences would
 * capture more than they allow.
 */
export function loadPolicyFiles(paths: PolicyPaths): LoadedPolicy | Refused {
  const root: Ownership = { uids: [0], words: 'root' };
  const person: Ownership = { uids: [paths.personUid], words: 'the person' };
  const rootOrPerson: Ownership = { uids: [paths.personUid, 0], words: 'the person or root' };
  const owners = paths.isSystem ? root : rootOrPerson;
  const policy = readFile(paths.policyFile, owners, paths.isPolicyRequired);
  const dropIns = readDropIns(paths.policyFile, owners);
  const preferences =
    paths.preferencesFile === null ? NOTHING : readFile(paths.preferencesFile, person, false);
  const files = [policy, ...dropIns, preferences];
  const refusals = files.flatMap((file) => (file.kind === 'refused' ? file.problems : []));
  if (preferences.kind === 'refused' || refusals.length > 0) return { policy: null, problems: refusals };
  const said = [policy, ...dropIns].filter(isAccepted);
  return combine(sourceOf(paths.policyFile, policy, dropIns.length), joined(said), preferences);
}

/** `policy.toml` alone, or how many drop-ins stand on it. */
export function sourceOf(policyFile: string, policy: ParsedFile, dropIns: number): string {
  if (dropIns === 0) return policy === NOTHING ? 'defaults' : policyFile;
  const files = dropIns === 1 ? '1 drop-in' : `${dropIns} drop-ins`;
  return policy === NOTHING ? `${files} of ${dropInFolder(policyFile) ?? ''}` : `${policyFile} and ${files}`;
}

/** The drop-ins of a policy file in their order, that of their names; the later counts. */
function readDropIns(policyFile: string, owners: Ownership): ParsedFile[] {
  const folder = dropInFolder(policyFile);
  if (folder === null) return [];
  const listed = listConfig(folder, owners, '.toml');
  if (listed.kind === 'refused') return [refuse(listed.problem)];
  return listed.files.map((file) => readFile(file, owners, true));
}

/** Several files that are right as one: of what more than one of them sets, the last one's value counts. */
export function joined(files: readonly Accepted[]): Accepted {
  const part: Record<string, object> = {};
  for (const file of files)
    for (const [section, fields] of Object.entries(file.part))
      part[section] = { ...part[section], ...fields };
  return {
    kind: 'ok',
    part,
    paths: new Set(files.flatMap((file) => [...file.paths])),
    where: (path) => (files.findLast((file) => file.paths.has(path)) ?? NOTHING).where(path),
  };
}

export function isAccepted(file: ParsedFile): file is Accepted {
  return file.kind === 'ok';
}

/** Merges what two files say, and checks what only shows in the whole. `source` is the policy's name. */
export function combine(
  source: string,
  policyFile: Accepted,
  preferences: Accepted = NOTHING,
): LoadedPolicy | Refused {
  const policy = overlayPolicy(DEFAULT_POLICY, policyFile.part);
  const merged = mergePolicy(policy, preferences.part);
  const problems = [
    ...crossProblems(policy, policyFile),
    ...forbiddenPreferences(preferences),
    ...uselessPreferences(policy, merged, preferences),
  ];
  if (problems.some(({ severity }) => severity === 'error')) return { policy: null, problems };
  return {
    policy: merged,
    id: policyId(merged),
    source,
    origins: originsOf(policy, merged, policyFile.paths),
    problems,
  };
}

function readFile(path: string, owners: Ownership, isRequired: boolean): ParsedFile {
  const read = readConfig(path, owners);
  switch (read.kind) {
    case 'absent':
      return isRequired ? refuse(problem('error', path, 'does not exist', 'name the right file')) : NOTHING;
    case 'refused':
      return refuse(read.problem);
    case 'text':
      return read.unsafe === null ? parsePolicyFile(path, read.text) : refuse(read.unsafe);
  }
}

function crossProblems(policy: Policy, file: Accepted): PolicyProblem[] {
  return CROSS_CHECKS.flatMap(({ severity, paths, find }) => {
    const found = find(policy);
    if (found === null) return [];
    const path = paths.find((candidate) => file.paths.has(candidate));
    return [problem(severity, path === undefined ? '' : file.where(path), found.text, found.hint)];
  });
}

function forbiddenPreferences(file: Accepted): PolicyProblem[] {
  return entriesIn(file)
    .filter(({ standing }) => standing !== 'private')
    .map(({ path }) =>
      problem(
        'error',
        file.where(path),
        `${path} is for the policy to set, not for preferences`,
        'remove it here',
      ),
    );
}

function uselessPreferences(policy: Policy, merged: Policy, file: Accepted): PolicyProblem[] {
  const wanted = overlayPolicy(policy, file.part);
  return entriesIn(file)
    .filter((entry) => entry.isSame(merged, policy) && !entry.isSame(merged, wanted))
    .map(({ path, say }) =>
      problem(
        'notice',
        file.where(path),
        `${path} asks for ${say(wanted)}, but the policy is more private already: ${say(policy)}`,
        'remove it here; preferences can only make it more private',
      ),
    );
}

function entriesIn(file: Accepted) {
  return POLICY_ENTRIES.flatMap((entry) =>
    entry.path !== null && file.paths.has(entry.path) ? [{ ...entry, path: entry.path }] : [],
  );
}

function originsOf(
  policy: Policy,
  merged: Policy,
  inPolicyFile: ReadonlySet<string>,
): Record<string, PolicyOrigin> {
  const origins: Record<string, PolicyOrigin> = {};
  for (const { path, isSame } of POLICY_ENTRIES) {
    if (path === null) continue;
    if (!isSame(policy, merged)) origins[path] = 'preferences';
    else origins[path] = inPolicyFile.has(path) ? 'policy' : 'default';
  }
  return origins;
}

function refuse(found: PolicyProblem): ParsedFile {
  return { kind: 'refused', problems: [found] };
}

function problem(
  severity: PolicyProblem['severity'],
  where: string,
  text: string,
  hint: string,
): PolicyProblem {
  return { severity, where, text, hint };
}
