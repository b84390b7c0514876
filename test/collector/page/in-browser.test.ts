import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, findBrowser } from '../../browser.ts';
import { HOSTILE, REQUEST, startPage, TOKEN } from './desk.ts';

const program = findBrowser();
/** A browser starts slowly where the processor is busy. */
const LIMIT_MS = 120_000;

describe.skipIf(program === undefined)('the page in a browser without scripts', () => {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await Browser.open(program ?? '');
    await browser.disableScripts();
  }, LIMIT_MS);
  afterAll(async () => browser?.close(), LIMIT_MS);

  const page = (): Browser => {
    if (browser === null) throw new Error('there is no browser');
    return browser;
  };
  const text = (): Promise<string> => page().evaluate<string>('document.body.innerText');

  it(
    'takes the right token only, decides an exemption, shows who did, and signs out',
    async () => {
      const { pageUrl } = await startPage();
      await page().show(pageUrl, 1000, 'light');
      await page().type('#token', 'wrong');
      await page().click('button[type=submit]');
      expect(await text()).toContain('That token is not right');
      await page().type('#token', TOKEN);
      await page().click('button[type=submit]');
      expect(await text()).toContain('signed in as Ada Lovelace');

      await page().click('nav a[href="/admin/exemptions"]');
      await page().click(`a[href="/admin/exemptions/${REQUEST}"]`);
      // What the person called the application is shown as they typed it.
      expect(await page().evaluate('document.title')).toBe(
        `Exemption from the application ${HOSTILE} · telemetry-collector`,
      );
      expect(
        await page().evaluate('document.scripts.length + document.querySelectorAll("[onclick]").length'),
      ).toBe(0);

      await page().click('button[value=denied]');
      expect(await text()).toContain('A denial needs an answer');
      await page().type('#answer', `not now ${HOSTILE}`);
      await page().click('button[value=denied]');
      const decided = await text();
      expect(decided).toContain('It is denied. The device learns it when it asks next.');
      expect(decided).toContain(`not now ${HOSTILE}`);
      expect(decided).toMatch(/denied\s+Ada Lovelace/);
      expect(await page().evaluate('document.querySelectorAll("button[name=verdict]").length')).toBe(0);

      const stayed = await page().evaluate<string>('location.href');
      await page().click('.who button');
      expect(await page().evaluate('location.pathname')).toBe('/admin/sign-in');
      await page().show(stayed, 1000, 'light');
      expect(await page().evaluate('location.pathname')).toBe('/admin/sign-in');
      // Nothing on any of them was for the policy to stop.
      const stopped = page().reported.filter(({ params }) => JSON.stringify(params).includes('"security"'));
      expect(stopped).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'refuses a form of another origin although the browser has the session',
    async () => {
      const { pageUrl } = await startPage();
      await page().show(pageUrl, 1000, 'light');
      await page().type('#token', TOKEN);
      await page().click('button[type=submit]');
      const action = new URL(`/admin/exemptions/${REQUEST}`, pageUrl);
      const form = `<form method=post action="${action.href}"><button name=verdict value=approved>win</button></form>`;
      await page().show(`data:text/html,${encodeURIComponent(form)}`, 1000, 'light');
      await page().click('button');
      expect(await text()).toContain('This form was not posted from this page; nothing was done.');
      await page().show(action.href, 1000, 'light');
      expect(await text()).toContain('pending');
    },
    LIMIT_MS,
  );

  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1000, 'dark'],
  ] as const)(
    'fits a width of %d in a %s scheme, with every text apart from its ground',
    async (width, scheme) => {
      const { pageUrl } = await startPage();
      await page().show(pageUrl, width, scheme);
      await page().type('#token', TOKEN);
      await page().click('button[type=submit]');
      for (const path of ['', `exemptions/${REQUEST}`]) {
        await page().show(pageUrl + path, width, scheme);
        expect(await page().evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(await page().evaluate<number>(LEAST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
      }
    },
    LIMIT_MS,
  );
});

/** The lowest contrast of any text on the page (WCAG 2.2, success criterion 1.4.3); cards and page are all there is below it. */
const LEAST_CONTRAST = `(() => {
  const rgb = (css) => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''));
  return Math.min(...texts.map((element) => {
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()`;
