import { describe, expect, it } from 'vitest';
import { FocusGuard } from '../../src/capture/child/focus-guard.ts';
import { FocusMacos } from '../../src/capture/child/focus-macos.ts';
import { tapProblem } from '../../src/capture/child/macos-tap.ts';
import { Pipeline } from '../../src/capture/child/pipeline.ts';
import type { Libc } from '../../src/posix/libc-koffi.ts';
import { type MacosInput, openMacosInput } from '../../src/posix/macos-input.ts';

/** macOS, saying what a test has it say. */
class HandMacos implements MacosInput {
  isAllowed = true;
  isSecret = false;
  idle = 0;

  isTrusted(): boolean {
    return this.isAllowed;
  }

  isSecureInput(): boolean {
    return this.isSecret;
  }

  idleMs(): number {
    return this.idle;
  }
}

describe('an event tap of macOS', () => {
  it('is alive when it is silent and so is the hardware', () => {
    const macos = new HandMacos();
    macos.idle = 600_000;
    expect(tapProblem(macos, 600_005)).toBeNull();
    expect(tapProblem(macos, 605_000)).toBeNull();
  });

  it('is dead when the hardware is in use and it is silent', () => {
    const macos = new HandMacos();
    macos.idle = 20;
    expect(tapProblem(macos, 30_000)?.reason.code).toBe('tap-dead');
  });

  it('is not dead while macOS keeps keys from it', () => {
    const macos = new HandMacos();
    macos.isSecret = true;
    expect(tapProblem(macos, 30_000)).toBeNull();
  });

  it('says what is missing when the person has taken the permission away', () => {
    const macos = new HandMacos();
    macos.isAllowed = false;
    expect(tapProblem(macos, 0)?.reason.code).toBe('no-permission');
  });
});

describe('what is typed while macOS has Secure Input', () => {
  /** Keys are pressed at these times; gives how many events leave. */
  async function leaving(input: MacosInput | null, during: (macos: HandMacos) => void): Promise<number> {
    let nowMs = 10_000;
    const macos = input instanceof HandMacos ? input : new HandMacos();
    const pipeline = new Pipeline({
      mouseHz: 1000,
      knows: { isAltCertain: false },
      maxWaiting: 100,
      ripens: true,
    });
    const guard = new FocusGuard({
      rules: { keys: 'shortcuts', fullApps: [], focusUnknown: 'record', exclude: { apps: [], titles: [] } },
      source: new FocusMacos(input, () => nowMs),
      gate: { look: () => 'unclear', glance: () => 'unclear' },
      pipeline,
      nowMonoMs: () => nowMs,
      delay: () => () => undefined,
      changed: () => undefined,
    });
    await guard.start(() => undefined, new AbortController().signal);
    const type = (): void => {
      pipeline.key(nowMs, true, 30, 1, 0, false);
      pipeline.key(nowMs + 1, false, 30, 1, 0, false);
      nowMs += 1000;
    };
    type();
    nowMs += 1000;
    await guard.ripen();
    during(macos);
    type();
    await guard.ripen();
    macos.isSecret = false;
    nowMs += 2000;
    await guard.ripen();
    pipeline.settle();
    return pipeline.countReady();
  }

  it('is left out, and what came before is kept', async () => {
    expect(await leaving(new HandMacos(), (macos) => (macos.isSecret = true))).toBe(2);
    expect(await leaving(new HandMacos(), () => undefined)).toBe(4);
  });

  it('and where that cannot be asked, everything is', async () => {
    expect(await leaving(null, () => undefined)).toBe(0);
  });
});

describe('the frameworks of macOS', () => {
  const opened: string[] = [];
  const library = (answers: Readonly<Record<string, number>>): Libc => ({
    call: (declaration) => ({
      value: answers[/(\w+)\(/.exec(declaration)?.[1] ?? ''] ?? Number.NaN,
      errno: 0,
    }),
  });

  it('are asked by their documented names', () => {
    const both = library({
      AXIsProcessTrusted: 1,
      IsSecureEventInputEnabled: 0,
      CGEventSourceSecondsSinceLastEventType: 1.5,
    });
    const input = openMacosInput((path) => {
      opened.push(path);
      return { libc: both, problem: null };
    });
    expect([input?.isTrusted(), input?.isSecureInput(), input?.idleMs()]).toEqual([true, false, 1500]);
    expect(opened.every((path) => path.startsWith('/System/Library/Frameworks/'))).toBe(true);
  });

  it('are not there on another system, which is no error', () => {
    expect(openMacosInput(() => ({ libc: null, problem: 'not found' }))).toBeNull();
  });
});
