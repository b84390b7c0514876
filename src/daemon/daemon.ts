import { join } from 'node:path';
import { CaptureChild } from '../capture/child-process.ts';
import { delayNode } from '../capture/delay-node.ts';
import type { PeerUid } from '../control/peer.ts';
import { ControlServer } from '../control/server.ts';
import type { CaptureConfig, ChildMessage } from '../core/capture.ts';
import { captureRefusal } from '../core/capture-refusal.ts';
import type { Clock, Log, Random, Timers } from '../core/clock.ts';
import { admittedCount, type CollectionName, type Reason } from '../core/collection.ts';
import type { NetworkSource, PowerSource, SessionSource } from '../core/conditions.ts';
import { refreshDeadline } from '../core/deadline.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { EventColumns } from '../core/events.ts';
import { withExemptApps } from '../core/exempt-apps.ts';
import type { FocusName } from '../core/focus.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { parseHours } from '../core/hours.ts';
import type { Notifier } from '../core/notifier.ts';
import { type Pause, restorePause, startPause } from '../core/pause.ts';
import type { LoadedPolicy, Policy } from '../core/policy.ts';
import { splitByTime } from '../core/slice-columns.ts';
import type { StatusReport } from '../core/status.ts';
import { missingForUpload } from '../core/upload-needs.ts';
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import type { Refused } from '../policy/policy-outcome.ts';
import { openConsent } from '../privacy/consent-file.ts';
import { type Ledger, openLedger } from '../privacy/ledger.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { Gap } from '../segment/types.ts';
import { type Device, openDevice } from '../spool/device-file.ts';
import { type RandomBytes, timeOrderedUuid } from '../spool/identifiers.ts';
import { KeyFolder } from '../spool/key-folder.ts';
import { readPauses, writePauses } from '../spool/pauses-file.ts';
import { Spool } from '../spool/spool.ts';
import { UploadSchedule } from '../upload/schedule.ts';
import { Announcer } from './announcer.ts';
import { type CaptureProcess, CollectionDriver } from './collection-driver.ts';
import { ConsentKeeper } from './consent-keeper.ts';
import { controlHandlers } from './control-handlers.ts';
import { CostMeter } from './cost-meter-node.ts';
import { CutKeys } from './cut-keys.ts';
import { deletionHandler } from './deletion-handler.ts';
import { DisplayWatch } from './display-watch-node.ts';
import { EnrolmentKeeper, type Pinned } from './enrolment-keeper.ts';
import { exemptRecordings } from './exempt-recordings.ts';
import { ExemptionKeeper } from './exemption-keeper.ts';
import { History } from './history.ts';
import { missingFacts } from './ledger-repair.ts';
import { PersonRequests } from './person-requests.ts';
import { PolicyKeeper } from './policy-keeper.ts';
import { Purger, purgingSegments } from './purger.ts';
import { Recorder } from './recorder.ts';
import { Sealer } from './sealer.ts';
import { type EncryptionPorts, SegmentEncryption } from './segment-encryption.ts';
import { SessionWatch } from './session-watch.ts';
import { statusReport } from './status-report.ts';
import { StorageHealth } from './storage-health.ts';
import { UploadDriver, type UploaderProcess } from './upload-driver.ts';
import { readUploadState, writeUploadState } from './upload-state.ts';
import { Watchers } from './watchers.ts';
import { WithheldRecord } from './withheld-record.ts';

export interface DaemonSettings {
  readonly version: string;
  readonly mode: StatusReport['daemon']['mode'];
  readonly stateDir: string;
  readonly socketPath: string;
  /** Conditions are not this machine's own. */
  readonly isSimulated: boolean;
  /** Overrides the policy's back end; `null` for the policy's. */
  readonly backend: string | null;
  readonly replay: CaptureConfig['replay'];
  /** The person whose input it is. */
  readonly uid: number;
  /** Where their revocation outlasts the state folder; `null` where no one is captured. */
  readonly revocationPath: string | null;
  /** The account that the daemon and the uploader run as. */
  readonly serviceUid: number;
  /** What the person should know of this daemon although it works. */
  readonly notes: readonly Reason[];
}

export interface DaemonPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  readonly power: PowerSource;
  readonly network: NetworkSource;
  readonly session: SessionSource;
  readonly notifier: Notifier;
  readonly loadPolicy: () => Promise<LoadedPolicy | Refused>;
  /** How a capture process is started. */
  readonly captureProgram: {
    readonly execPath: string;
    readonly flags: readonly string[];
    readonly entryFile: string;
    readonly env: Readonly<Record<string, string>>;
  };
  readonly startUploader: () => UploaderProcess;
  /** Who is at the other end of a control connection; `null` where the system does not tell. */
  readonly peerUid: PeerUid | null;
  /** Where keys of journals lie; see `findKeyFolder`. */
  readonly keyFolder: string | null;
  /** Has an order carried out by the sealing program. */
  readonly seal: EncryptionPorts['seal'];
  /** A replay is over (`null`) or failed (a message); only with `settings.replay`. */
  readonly replayEnded: (problem: string | null) => void;
  /** Moves the clock of a replay; timers are looked at afterwards. */
  readonly advanceTo: (recordedMs: number) => void;
}

/** One wake-up a minute for all that must not be forgotten: cost, overdue timers, pauses on disk, limits. */
const HEARTBEAT_MS = 60_000;

/** The daemon: constructs and connects everything that lives in its process. */
export class Daemon {
  readonly settings: DaemonSettings;
  readonly ports: DaemonPorts;
  readonly clock: Clock;
  readonly spool: Spool;
  readonly collection: CollectionDriver;
  readonly recorder: Recorder;
  readonly sealer: Sealer;
  readonly policy: PolicyKeeper;
  readonly watchers: Watchers;
  readonly exemptions: ExemptionKeeper;
  readonly #enrolment: EnrolmentKeeper;
  readonly #cost: CostMeter;
  readonly #history: History;
  readonly #announcer: Announcer;
  readonly #encryption: SegmentEncryption;
  readonly #displays = new DisplayWatch();
  readonly #withheld = new WithheldRecord((facts) => this.record(facts));
  readonly #session: SessionWatch;
  readonly #server: ControlServer;
  #consent: ConsentKeeper | null = null;
  #upload: UploadDriver | null = null;
  #requests: PersonRequests | null = null;
  #purger: Purger | null = null;
  #schedule: UploadSchedule | null = null;
  #ledger: Ledger | null = null;
  readonly #storage = new StorageHealth((problem) => this.#storageChanged(problem));
  #unrecorded: LedgerFact[] = [];
  #device: Device | null = null;
  #identity: StatusReport['daemon'];
  /** What the capture process knows of the window in use; `null` while there is none. */
  #focus: FocusName | null = null;
  #captureConfig = '';
  /** What the running capture process has the person know. */
  #childNotes: readonly Reason[] = [];
  #arePausesKnown = false;
  #stopped: Promise<void> | null = null;

  constructor(settings: DaemonSettings, ports: DaemonPorts) {
    this.settings = settings;
    this.ports = ports;
    this.clock = ports.clock;
    const { clock, timers, log } = ports;
    const { version, mode, stateDir, isSimulated } = settings;
    this.#identity = { version, pid: process.pid, startedAt: null, mode, simulated: isSimulated, stateDir };
    this.spool = new Spool(stateDir);
    this.policy = new PolicyKeeper({ stateDir, log, load: ports.loadPolicy });
    this.collection = new CollectionDriver({
      clock,
      timers,
      log,
      startChild: (generation) => this.#startChild(generation),
      savePauses: () => this.savePauses(),
      changed: (from, to) => this.#stateChanged(from, to),
    });
    this.#encryption = new SegmentEncryption({
      log,
      randomBytes: ports.randomBytes,
      spool: this.spool,
      stateDir,
      keys: new KeyFolder(ports.keyFolder),
      recipients: () => this.#recipients(),
      recipientsOf: (receiptId) => this.consent.recipientsOf(receiptId),
      seal: ports.seal,
      cutKeys: new CutKeys({
        clock,
        timers,
        keyFolder: ports.keyFolder,
        holdBackMs: () => this.policy.policy?.upload.holdBackMs ?? 0,
      }),
    });
    this.recorder = new Recorder({
      clock,
      timers,
      log,
      spool: this.spool,
      limits: () => (this.policy.policy ?? DEFAULT_POLICY).segment,
      circumstances: () => ({
        platform: `${process.platform}-${process.arch}`,
        redaction: this.policy.mustHave().policy.capture.keys,
        policyId: this.policy.mustHave().id,
        receiptId: settings.replay === null ? (this.consent.view.receipt?.id ?? '') : '',
        simulated: isSimulated,
      }),
      nextIdentity: (spareSequence) => ({
        segmentId: timeOrderedUuid(clock.now().wallMs, ports.randomBytes),
        device: this.#mustHave(this.#device).pseudonym,
        sequence: spareSequence ?? this.#mustHave(this.#device).takeSequence(),
      }),
      ledgerHead: () => this.#ledgerHead(),
      key: (segmentId) => this.#encryption.keyFor(segmentId),
      closed: () => this.sealer.work(),
      storage: (problem) => this.#storage.report('journal', problem),
    });
    this.sealer = new Sealer({
      clock,
      timers,
      log,
      spool: this.spool,
      power: () => ports.power.current().state,
      sealEncrypted: (id, effort) => this.#encryption.sealJournal(id, effort),
      limits: () => (this.policy.policy ?? DEFAULT_POLICY).spool,
      record: (facts) => this.record(facts),
      storage: (user, problem) => this.#storage.report(user, problem),
      changed: () => {
        this.exemptions.clear();
        this.#upload?.evaluate();
        this.watchers.changed();
      },
    });
    this.exemptions = this.#makeExemptions();
    this.#enrolment = new EnrolmentKeeper(stateDir, log);
    this.#cost = new CostMeter(clock, () => this.collection.childPid);
    this.#announcer = new Announcer({
      clock,
      notifier: ports.notifier,
      changed: () => this.watchers.changed(),
    });
    this.#history = new History({ clock, log, stateDir, cost: () => this.#cost.totals() });
    this.watchers = new Watchers(clock, timers, () => this.status());
    this.#session = new SessionWatch({
      clock,
      source: ports.session,
      lock: (lock) => this.collection.send({ type: 'lock', lock }),
      flush: () => this.recorder.flush(),
      slept: (fromMonoMs, forMs) => {
        if (this.collection.state.child.phase === 'running') this.recorder.slept(fromMonoMs, forMs);
      },
      recheck: () => this.#recheck(),
      changed: () => this.watchers.changed(),
    });
    this.#server = new ControlServer(
      settings.socketPath,
      controlHandlers(this),
      {
        accounts: { personUid: settings.uid, serviceUid: settings.serviceUid },
        uidOf: ports.peerUid,
      },
      log,
    );
  }

  get consent(): ConsentKeeper {
    return this.#mustHave(this.#consent);
  }

  get upload(): UploadDriver {
    return this.#mustHave(this.#upload);
  }

  get purger(): Purger {
    return this.#mustHave(this.#purger);
  }

  get requests(): PersonRequests {
    return this.#mustHave(this.#requests);
  }

  /** Brings the files in order, reads policy and consent, opens the control socket, then collects as they allow. */
  async start(): Promise<void> {
    const { clock, timers, log, random, randomBytes, power, network, startUploader } = this.ports;
    const { stateDir, version, mode, uid } = this.settings;
    const now = clock.now();
    this.#identity = { ...this.#identity, startedAt: new Date(now.wallMs).toISOString() };
    // First of all: a start that fails writes the pauses back as it stops.
    for (const pause of this.#standingPauses()) this.collection.send({ type: 'pause', pause });
    this.#arePausesKnown = true;
    const policyIsRead = this.policy.reload();
    const recovery = this.spool.recover();
    this.#history.start(this.collection.state.name);
    this.#ledger = openLedger(stateDir, clock);
    this.#device = openDevice(stateDir, randomBytes);
    this.record([
      { type: 'started', version, mode },
      ...missingFacts(stateDir, this.spool.sealedSegments(), purgingSegments(stateDir)),
      ...recovery.quarantined.map(({ id, why }): LedgerFact => ({ type: 'quarantined', segment: id, why })),
    ]);
    for (const problem of recovery.problems) log.warn({ problem }, 'a file could not be recovered');
    await policyIsRead;
    const file = openConsent(stateDir, randomBytes, this.settings.revocationPath);
    if (file.problem !== null) log.error({}, file.problem);
    this.#consent = new ConsentKeeper({
      clock,
      file,
      uid,
      ledgerHead: () => this.#ledgerHead(),
      record: (facts) => this.record(facts),
    });
    this.#enrolment.reload();
    const { pseudonym } = this.#device;
    const enrolledAt = (url: string): Pinned | null => this.#enrolment.at(url, pseudonym);
    const dailyBudget = this.policy.policy?.upload.dailyBudgetBytes ?? 0;
    this.#upload = new UploadDriver(
      {
        clock,
        timers,
        log,
        random,
        spool: this.spool,
        power,
        network,
        device: this.#device.pseudonym,
        outboxDir: join(stateDir, 'outbox'),
        policy: () => this.policy.policy?.upload ?? null,
        missing: () => (this.policy.policy === null ? [] : missingForUpload(this.policy.policy)),
        enrolledAt,
        consent: () => (this.settings.replay === null ? this.consent.standing : 'granted'),
        mayLeave: (receiptId, url) => this.#mayLeave(receiptId, url),
        ledgerHead: () => this.#ledgerHead(),
        forget: (id) => this.#encryption.forget(id),
        isWithheld: (segment) => this.exemptions.isWithheld(segment),
        record: (facts) => this.record(facts),
        saveState: (state) => this.#trySave('the upload state', () => writeUploadState(stateDir, state)),
        startUploader,
        storage: (problem) => this.#storage.report('outbox', problem),
        changed: () => this.watchers.changed(),
        conditionsChanged: () => {
          this.sealer.work();
          this.#requests?.evaluate();
        },
      },
      readUploadState(stateDir, dailyBudget, now.wallMs),
    );
    this.#requests = new PersonRequests({
      clock,
      timers,
      log,
      random,
      randomBytes,
      stateDir,
      device: this.#device.pseudonym,
      handlers: {
        exemption: this.exemptions,
        deletion: deletionHandler((facts) => this.record(facts)),
      },
      enrolledAt,
      mayGo: (destination) =>
        (isLoopbackUrl(destination) || enrolledAt(destination) !== null) && this.consent.names(destination),
      network: () => network.current().kind,
      startUploader,
      charge: (bytes) => this.upload.chargeAlso(bytes),
      changed: () => this.watchers.changed(),
    });
    this.#purger = new Purger({
      clock,
      log,
      randomBytes,
      stateDir,
      spool: this.spool,
      collection: this.collection,
      recorder: this.recorder,
      sealer: this.sealer,
      encryption: this.#encryption,
      upload: this.upload,
      requests: this.requests,
      record: (facts) => this.record(facts),
      changed: () => this.watchers.changed(),
    });
    this.consent.policyChanged(this.policy.loaded);
    this.#encryption.start();
    await this.#purger.start();
    // Before anything can leave or be captured.
    this.exemptions.start();
    await this.#upload.start();
    // A recording captures no one: there is no session to be locked.
    if (this.settings.replay === null) await this.#session.start();
    await this.#server.start();
    this.#requests.start();
    this.exemptions.ask();
    this.applyPolicy();
    this.sealer.work();
    this.#displays.start(() => this.collection.send({ type: 'retry' }));
    this.#cost.sample();
    this.#beat();
    log.info({ version, mode, stateDir, socket: this.settings.socketPath }, 'telemetryd started');
    this.#logNotes(this.settings.notes);
  }

  /** Takes what is captured, seals it, lets go of everything. Resolves when all of that is on disk. Idempotent. */
  stop(cause: string): Promise<void> {
    this.#stopped ??= this.#stop(cause);
    return this.#stopped;
  }

  async #stop(cause: string): Promise<void> {
    const { timers, log } = this.ports;
    this.#displays.stop();
    this.#schedule?.stop();
    this.collection.send({ type: 'stop' });
    await Promise.all([
      this.collection.whenGone(),
      this.#upload?.stop(),
      this.#requests?.stop(),
      this.#session.stop(),
    ]);
    await this.#purger?.whenSettled();
    // What is still to be written may wait for a key.
    await this.#encryption.whenSettled();
    this.recorder.roll();
    await this.sealer.sealAll();
    this.record([{ type: 'stopped', cause }]);
    this.#history.stop();
    if (this.#arePausesKnown) this.savePauses();
    timers.stop();
    this.spool.stop();
    this.#ledger?.close();
    this.#ledger = null;
    await this.#server.stop();
    log.info({ cause }, 'telemetryd stopped');
  }

  /** Reads the policy files anew. */
  async reloadPolicy(): Promise<void> {
    const isPolicyNew = await this.policy.reload();
    if (this.#enrolment.reload() || isPolicyNew) this.upload.policyChanged();
    if (isPolicyNew) {
      this.applyPolicy();
    }
    this.watchers.changed();
  }

  /** The policy in force may have changed: everything that depends on it is told. */
  applyPolicy(): void {
    const { loaded } = this.policy;
    const policy = loaded?.policy ?? null;
    this.consent.policyChanged(loaded);
    if (loaded !== null) this.record([{ type: 'policy', policy: loaded.id, source: loaded.source }]);
    this.#applyCapture(policy);
    this.exemptions.tick();
    this.consentChanged();
    this.#restartSchedule(policy);
  }

  /** What may be captured, and how, may have changed. */
  #applyCapture(policy: Policy | null): void {
    const config = JSON.stringify(policy === null ? null : this.#configOf(policy));
    if (this.#captureConfig !== config) {
      this.#captureConfig = config;
      // What the process hands over last still belongs to the old policy's segment; the next process begins a new one.
      this.collection.send({ type: 'reconfigure' });
    } else {
      this.recorder.roll();
    }
    this.collection.send({
      type: 'policy',
      policy:
        policy === null
          ? null
          : { hours: parseHours(policy.capture.hours) ?? null, refusal: captureRefusal(policy) },
    });
  }

  #makeExemptions(): ExemptionKeeper {
    const { clock, timers, log, randomBytes } = this.ports;
    const record = (facts: readonly LedgerFact[]): void => this.record(facts);
    return new ExemptionKeeper({
      clock,
      timers,
      log,
      randomBytes,
      stateDir: this.settings.stateDir,
      whilePending: () => (this.policy.policy ?? DEFAULT_POLICY).exemptions.whilePending,
      destination: () => this.policy.policy?.upload.url ?? '',
      requests: () => this.requests,
      recordings: exemptRecordings({
        log,
        device: () => this.#mustHave(this.#device),
        spool: this.spool,
        recorder: this.recorder,
        sealer: this.sealer,
        encryption: this.#encryption,
        record,
      }),
      record,
      standing: (exemptions) => this.collection.send({ type: 'exempt', exemptions }),
      appsChanged: () => this.#applyCapture(this.policy.policy),
      changed: () => {
        this.#upload?.evaluate();
        this.watchers.changed();
      },
    });
  }

  /** Consent may have changed: collection and uploads are told. */
  consentChanged(): void {
    const standing = this.settings.replay === null ? this.consent.standing : 'granted';
    if (standing === 'revoked') this.recorder.forgetPending();
    this.collection.send({ type: 'consent', standing });
    this.upload.evaluate();
    this.watchers.changed();
  }

  status(): StatusReport {
    const { clock, power, network } = this.ports;
    return statusReport(
      {
        identity: this.#identity,
        collection: this.collection,
        recorder: this.recorder,
        spool: this.spool,
        sealer: this.sealer,
        upload: this.upload,
        nextUploadAt: () => this.#schedule?.nextAt() ?? null,
        power: () => power.current(),
        network: () => network.current(),
        session: () => this.#session.session,
        consent: this.consent,
        policy: this.policy,
        cost: this.#cost,
        requests: this.requests,
        announcement: () => this.#announcer.last,
        focus: this.#focus,
        exemptions: this.exemptions,
        notes: [...this.settings.notes, ...(this.collection.childPid === null ? [] : this.#childNotes)],
      },
      clock.now(),
    );
  }

  /** Appends to the ledger. What the disk refuses is kept for the next try; until then nothing is captured. */
  record(facts: readonly LedgerFact[]): void {
    this.#unrecorded.push(...facts);
    const ledger = this.#ledger;
    if (ledger === null || (this.#unrecorded.length === 0 && !this.#storage.hasProblem('ledger'))) return;
    const { seq } = ledger.head();
    let problem: string | null = null;
    try {
      ledger.appendEntries(this.#unrecorded);
    } catch (error) {
      problem = messageOf(error);
      this.ports.log.error({ err: problem }, 'the ledger could not be written');
    }
    // Also what could not be synced stands in it.
    if (problem === null || ledger.head().seq !== seq) this.#unrecorded = [];
    this.#storage.report('ledger', problem);
  }

  /** Writes the standing pauses with what is left of them. */
  savePauses(): void {
    const now = this.ports.clock.now();
    const pauses = this.collection.state.pauses.map((pause) => refreshDeadline(pause, now));
    this.#trySave('the pauses', () => writePauses(this.settings.stateDir, pauses));
  }

  /** What the last run, or telemetryctl since then, left standing. In doubt a pause stands. */
  #standingPauses(): Pause[] {
    const { clock, log } = this.ports;
    const read = readPauses(this.settings.stateDir);
    if (read.kind === 'missing') return [];
    if (read.kind === 'ok') return read.value.flatMap((saved) => restorePause(saved, clock) ?? []);
    log.error(
      { reason: read.reason, keptAs: read.keptAs },
      'the pauses on disk are damaged; pausing in case one stood',
    );
    return [startPause('person', DEFAULT_POLICY.pause.maxMs, 'a pause may have stood', clock)];
  }

  #startChild(generation: number): CaptureProcess {
    const child = new CaptureChild({
      ...this.ports.captureProgram,
      delay: delayNode,
      onMessage: (message) => this.#onChildMessage(generation, message),
      onExit: (reason) => {
        this.#focus = null;
        this.recorder.flush();
        if (reason.code !== 'stopped') this.ports.log.warn({ code: reason.code }, reason.text);
        if (this.settings.replay !== null && !this.collection.state.isStopping) {
          // A recording is played once: a second try would record the same again.
          this.ports.replayEnded(reason.text);
          this.collection.send({ type: 'stop' });
        }
        this.collection.send({ type: 'child-exited', generation, reason });
      },
    });
    this.recorder.captureBegins();
    this.#encryption.prepare();
    child.start(this.#configOf(this.policy.mustHave().policy));
    return child;
  }

  #onChildMessage(generation: number, message: ChildMessage): void {
    switch (message.type) {
      case 'ready':
        this.recorder.childReady(message.info);
        this.#childNotes = message.notes;
        this.#logNotes(message.notes);
        this.collection.send({ type: 'child-ready', generation });
        return;
      case 'batch':
        this.#session.notice();
        for (const columns of this.#inTime(message.columns)) {
          // After sleep a timer may be late; what is exempt by now must not be taken.
          this.collection.send({ type: 'tick' });
          this.recorder.take(
            columns,
            admittedCount(this.collection.state, generation, columns),
            message.loss,
          );
        }
        this.watchers.changed();
        return;
      case 'focus':
        this.#focus = message.focus;
        if (message.withheldFromMonoMs !== null) this.recorder.withheld(message.withheldFromMonoMs);
        this.watchers.changed();
        return;
      case 'screens':
        this.recorder.screensChanged(message.screens);
        return;
      case 'end':
        this.ports.replayEnded(null);
        return;
      case 'failed':
        // Its exit follows and carries the reason.
        return;
    }
  }

  /** A batch as it comes; of a replay second by second, the clock moved and timers looked at before each. */
  *#inTime(columns: EventColumns): Generator<EventColumns> {
    if (this.settings.replay === null) {
      yield columns;
      return;
    }
    for (const second of splitByTime(columns, 1000)) {
      this.ports.advanceTo(second.t[0] ?? 0);
      this.ports.timers.recheck();
      yield second;
    }
  }

  #configOf(inForce: Policy): CaptureConfig {
    // A recording captures no one: nobody is exempt in it.
    const policy = this.settings.replay === null ? withExemptApps(inForce, this.exemptions.apps()) : inForce;
    const { keys, mouseHz, focusUnknown, fullApps, backend } = policy.capture;
    const { replay } = this.settings;
    return {
      backend: replay === null ? (this.settings.backend ?? backend) : 'replay',
      keys,
      mouseHz,
      focusUnknown,
      fullApps,
      exclude: policy.exclude,
      replay,
    };
  }

  #stateChanged(from: CollectionName, to: CollectionName): void {
    if (from === 'capturing') this.recorder.captureEnded(this.#gapKind(to));
    const { wallMs } = this.clock.now();
    // Without consent there is nothing to withhold, and the ledger says that by itself.
    const isWithheld = to !== 'capturing' && to !== 'awaiting-consent' && this.#gapKind(to) === 'withheld';
    if (isWithheld)
      this.#withheld.begin(to === 'blocked' ? (this.collection.reasons()[0]?.code ?? to) : to, wallMs);
    else this.#withheld.end(wallMs);
    this.#history.stateChanged(to);
    // A recording that is played captures no one.
    if (this.settings.replay === null) this.#announcer.stateChanged(from, to);
    this.watchers.changed();
  }

  /** One kind for all that a person or a policy withholds, so that a gap tells nothing about the person. */
  #gapKind(to: CollectionName): Gap['kind'] {
    if (to !== 'blocked') return to === 'stopped' ? 'stopped' : 'withheld';
    if (this.collection.state.failure !== null) return 'crashed';
    const code = this.collection.reasons()[0]?.code;
    return code === 'starting' || code === 'storage' ? 'stopped' : 'withheld';
  }

  #storageChanged(problem: string | null): void {
    this.collection.send({
      type: 'storage',
      problem:
        problem === null
          ? null
          : {
              code: 'storage',
              text: `Nothing can be written: ${problem}.`,
              hint: 'free some space; it goes on by itself',
            },
    });
  }

  /** A recording captures no one, and its segments are for benchmarks and tests: they are not encrypted. */
  #recipients(): readonly string[] | null {
    if (this.settings.replay !== null) return null;
    return this.consent.recipientsOf(this.consent.receipt?.id ?? '');
  }

  #ledgerHead(): string {
    return this.#mustHave(this.#ledger).head().hash;
  }

  #mayLeave(receiptId: string, url: string): boolean {
    return receiptId === '' ? isLoopbackUrl(url) : this.consent.mayLeave(receiptId, url);
  }

  #restartSchedule(policy: Policy | null): void {
    const { clock, timers } = this.ports;
    this.#schedule?.stop();
    this.#schedule = null;
    if (policy === null || policy.upload.url === '') return;
    const { schedule: expression } = policy.upload;
    this.#schedule = new UploadSchedule({
      expression,
      device: this.#mustHave(this.#device).pseudonym,
      clock,
      timers,
    });
    this.#schedule.start(() => {
      this.upload.due();
      // On this machine it costs nothing to ask; anywhere else it is asked once an hour.
      if (isLoopbackUrl(policy.upload.url)) this.exemptions.hurry();
    });
  }

  #beat(): void {
    const { clock, timers } = this.ports;
    timers.set('heartbeat', clock.now().bootMs + HEARTBEAT_MS, () => {
      this.#recheck();
      this.#session.beat();
      this.#cost.sample();
      this.#history.beat();
      if (this.collection.state.pauses.length > 0) this.savePauses();
      if (this.#storage.hasProblem('ledger')) this.record([]);
      const isWaiting = this.spool.stats().queued.segments + this.requests.pending().length > 0;
      if (isWaiting || this.#storage.hasProblem('outbox')) this.upload.refresh();
      this.exemptions.beat();
      this.sealer.enforceLimits();
      this.sealer.work();
      this.#beat();
    });
  }

  #logNotes(notes: readonly Reason[]): void {
    for (const { code, text } of notes) this.ports.log.warn({ code }, text);
  }

  /** Fires what is overdue: timers do not count sleep. */
  #recheck(): void {
    this.ports.timers.recheck();
    this.#schedule?.recheck();
  }

  #trySave(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.ports.log.error({ err: messageOf(error) }, `${what} could not be written`);
    }
  }

  #mustHave<T>(part: T | null): T {
    if (part === null)
      throw new TelemetryError('unavailable', 'the daemon is still starting', { hint: 'wait a moment' });
    return part;
  }
}
