import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** A Chromium of this machine; `undefined` where there is none. */
export function findBrowser(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A headless Chromium with one page, driven by its DevTools protocol. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session = '';
  #ids = 0;
  /** Methods and parameters of everything the page reported. */
  readonly reported: { readonly method: string; readonly params: unknown }[] = [];

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as Reply);
  }

  static async open(program: string): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'browser-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
    ];
    const child = spawn(program, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stderr.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        const found = /listening on (ws:\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => reject(new Error(`the browser ended: ${text}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const browser = new Browser(child, folder, socket);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ['Page', 'Log', 'Network', 'Runtime']) await browser.send(`${domain}.enable`);
    return browser;
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#ids;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await reply;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** Shows a page as on a screen of this width, and resolves when it is loaded. */
  async show(url: string, width: number, scheme: 'light' | 'dark'): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    await this.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
    const loads = this.#loads();
    await this.send('Page.navigate', { url });
    await this.#loadedSince(loads);
  }

  /** What a person without scripts sees: pages cannot run any from now on. */
  async disableScripts(): Promise<void> {
    await this.send('Emulation.setScriptExecutionDisabled', { value: true });
  }

  /** Puts text into a field, as by hand. */
  async type(selector: string, text: string): Promise<void> {
    await this.send('DOM.focus', { nodeId: await this.#nodeOf(selector) });
    await this.send('Input.insertText', { text });
  }

  /** Clicks in the middle of an element, and resolves when the page that follows is loaded. */
  async click(selector: string): Promise<void> {
    const nodeId = await this.#nodeOf(selector);
    await this.send('DOM.scrollIntoViewIfNeeded', { nodeId });
    const { model } = (await this.send('DOM.getBoxModel', { nodeId })) as { model: { content: number[] } };
    const [left = 0, top = 0, , , right = 0, bottom = 0] = model.content;
    const place = { x: (left + right) / 2, y: (top + bottom) / 2, button: 'left', clickCount: 1 };
    const loads = this.#loads();
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, ...place });
    await this.#loadedSince(loads);
  }

  /** The value of an expression in the page. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { value: Value }).value;
  }

  /** The whole page as a PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true });
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#socket.close();
    this.#child.kill();
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #nodeOf(selector: string): Promise<number> {
    const { root } = (await this.send('DOM.getDocument')) as { root: { nodeId: number } };
    const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector });
    if (nodeId === 0) throw new Error(`there is no ${selector} on the page`);
    return Number(nodeId);
  }

  async #loadedSince(loads: number): Promise<void> {
    while (this.#loads() === loads) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #loads(): number {
    return this.reported.filter(({ method }) => method === 'Page.loadEventFired').length;
  }

  #take(reply: Reply): void {
    if (reply.method !== undefined) this.reported.push({ method: reply.method, params: reply.params });
    if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
  }
}
