import { join } from 'node:path';
import { ControlServer } from '../control/server.ts';
import type { Clock } from '../core/clock.ts';
import type { CollectionName, Reason } from '../core/collection.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import type { Requester } from '../core/pause.ts';
import type { Policy } from '../core/policy.ts';
import type { StatusReport } from '../core/status.ts';
import { missingForUpload } from '../core/upload-needs.ts';
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import { openConsent } from '../privacy/consent-file.ts';
import { openLedger } from '../privacy/ledger.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { wasAnnounced, writeAnnounced } from '../spool/announced-file.ts';
import { type Device, openDevice } from '../spool/device-file.ts';
import { timeOrderedUuid } from '../spool/identifiers.ts';
import { KeyFolder } from '../spool/key-folder.ts';
import { Spool } from '../spool/spool.ts';
import { UploadSchedule } from '../upload/schedule.ts';
import { Announcer } from './announcer.ts';
import { CaptureLink } from './capture-link.ts';
import { type CaptureProcess, CollectionDriver } from './collection-driver.ts';
import { ConsentKeeper } from './consent-keeper.ts';
import { controlHandlers } from './control-handlers.ts';
import { CostMeter } from './cost-meter-node.ts';
import { CutKeys } from './cut-keys.ts';
import type { DaemonPorts, DaemonSettings } from './daemon-ports.ts';
import { deletionHandler } from './deletion-handler.ts';
import { DisplayWatch } from './display-watch-node.ts';
import { EnrolmentKeeper, type Pinned } from './enrolment-keeper.ts';
import { exemptRecordings } from './exempt-recordings.ts';
import { ExemptionKeeper } from './exemption-keeper.ts';
import { gapKind } from './gap-kind.ts';
import { HealthKeeper } from './health-keeper.ts';
import { History } from './history.ts';
import { LedgerKeeper } from './ledger-keeper.ts';
import { missingFacts } from './ledger-repair.ts';
import { Liveness } from './liveness.ts';
import { PausesKeeper } from './pauses-keeper.ts';
import { PersonRequests } from './person-requests.ts';
import { PolicyKeeper } from './policy-keeper.ts';
import { Purger, purgingSegments } from './purger.ts';
import { Recorder } from './recorder.ts';
import { Sealer } from './sealer.ts';
import { SegmentEncryption } from './segment-encryption.ts';
import { SelfLimits } from './self-limits.ts';
import { SessionWatch } from './session-watch.ts';
import { standingFaults } from './standing-faults.ts';
import { statusReport } from './status-report.ts';
import { StorageHealth } from './storage-health.ts';
import { UploadDriver } from './upload-driver.ts';
import { readUploadState, writeUploadState } from './upload-state.ts';
import { Watchers } from './watchers.ts';
import { withdrawalHandler } from './withdrawal-handler.ts';
import { WithheldRecord } from './withheld-record.ts';

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
  readonly #capture: CaptureLink;
  readonly #cost: CostMeter;
  readonly #history: History;
  readonly #health: HealthKeeper;
  readonly #announcer: Announcer;
  readonly #encryption: SegmentEncryption;
  readonly #displays = new DisplayWatch();
  readonly #liveness: Liveness;
  readonly #limits: SelfLimits;
  readonly #withheld = new WithheldRecord((facts) => this.record(facts));
  readonly #session: SessionWatch;
  readonly #server: ControlServer;
  #consent: ConsentKeeper | null = null;
  #upload: UploadDriver | null = null;
  #requests: PersonRequests | null = null;
  #purger: Purger | null = null;
  #schedule: UploadSchedule | null = null;
  readonly #storage = new StorageHealth((problem) => this.#storageChanged(problem));
  readonly #ledger: LedgerKeeper;
  #device: Device | null = null;
  #identity: StatusReport['daemon'];
  readonly #pauses: PausesKeeper;
  #stopped: Promise<void> | null = null;

  constructor(settings: DaemonSettings, ports: DaemonPorts) {
    this.settings = settings;
    this.ports = ports;
    this.clock = ports.clock;
    const { clock, timers, log } = ports;
    const { version, mode, stateDir, isSimulated } = settings;
    this.#identity = { version, pid: process.pid, startedAt: null, mode, simulated: isSimulated, stateDir };
    this.#ledger = new LedgerKeeper(log, this.#storage);
    this.#pauses = new PausesKeeper(stateDir, clock, log);
    this.spool = new Spool(stateDir);
    this.policy = new PolicyKeeper({ stateDir, log, load: ports.loadPolicy });
    this.collection = new CollectionDriver({
      clock,
      timers,
      log,
      startChild: (generation) => this.#capture.start(generation),
      savePauses: (pauses) => this.#pauses.save(pauses),
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
    this.#capture = new CaptureLink({
      settings,
      ports,
      collection: this.collection,
      recorder: this.recorder,
      policy: () => this.policy.mustHave(),
      exemptApps: () => this.exemptions.apps(),
      starting: () => this.#encryption.prepare(),
      exited: () => this.#watchDisplays(),
      heard: () => this.#liveness.heard(),
      ready: () => this.#limits.childReady(),
      handed: () => this.#session.notice(),
      changed: () => this.watchers.changed(),
    });
    this.exemptions = this.#makeExemptions();
    this.#enrolment = new EnrolmentKeeper(stateDir, log);
    this.#cost = new CostMeter(clock, () => this.collection.childPid);
    const child = (): CaptureProcess | null => this.collection.running;
    this.#liveness = new Liveness({ clock, timers, child });
    this.#limits = new SelfLimits({
      clock,
      log,
      child,
      policy: () => this.policy.policy,
      reading: () => this.#cost.sample(),
      // A recording is played once, by one process.
      restartChild: settings.replay === null ? () => this.collection.send({ type: 'reconfigure' }) : null,
    });
    this.#announcer = new Announcer({
      clock,
      notifiers: ports.notifiers,
      told: {
        get: () => wasAnnounced(stateDir, clock.bootId),
        set: () => this.#trySave('what was announced', () => writeAnnounced(stateDir, clock.bootId)),
      },
      changed: () => this.watchers.changed(),
    });
    this.#health = new HealthKeeper({
      clock,
      log,
      stateDir,
      version,
      backend: () => this.recorder.backend?.backend ?? null,
      faults: () => this.#faults(),
      record: (facts) => this.record(facts),
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
    this.#announcer.start();
    // First of all: a start that fails writes the pauses back as it stops.
    for (const pause of this.#pauses.restore()) this.collection.send({ type: 'pause', pause });
    const policyIsRead = this.policy.reload();
    const recovery = this.spool.recover();
    this.#history.start(this.collection.state.name);
    this.#ledger.open(openLedger(stateDir, clock));
    this.#device = openDevice(stateDir, randomBytes);
    this.record([
      { type: 'started', version, mode },
      ...missingFacts(stateDir, this.spool.sealedSegments(), purgingSegments(stateDir)),
      ...recovery.quarantined.map(({ id, why }): LedgerFact => ({ type: 'quarantined', segment: id, why })),
    ]);
    for (const problem of recovery.problems)
      log.warn({ event: 'recovery-problem', problem }, 'a file could not be recovered');
    await policyIsRead;
    const file = openConsent(stateDir, randomBytes, this.settings.revocationPath);
    if (file.problem !== null) log.error({ event: 'consent-damaged' }, file.problem);
    this.#consent = new ConsentKeeper({
      clock,
      file,
      uid,
      ledgerHead: () => this.#ledgerHead(),
      record: (facts) => this.record(facts),
    });
    this.#enrolment.reload();
    this.#health.start();
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
        promisedMs: (receiptId) => this.consent.promisedMs(receiptId),
        ledgerHead: () => this.#ledgerHead(),
        forget: (id) => this.#encryption.forget(id),
        isWithheld: (segment) => this.exemptions.isWithheld(segment),
        // A replay plays a recording of somebody else's day: nothing is told of it.
        health: this.settings.replay === null ? this.#health : null,
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
        withdrawal: withdrawalHandler(log),
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
    this.#cost.sample();
    this.#beat();
    log.info(
      { event: 'daemon-started', version, mode, stateDir, socket: this.settings.socketPath },
      'telemetryd started',
    );
    for (const { code, text } of this.settings.notes) log.warn({ event: 'daemon-note', code }, text);
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
    this.#pauses.save(this.collection.state.pauses);
    timers.stop();
    this.spool.stop();
    this.#ledger.close();
    await this.#server.stop();
    log.info({ event: 'daemon-stopped', cause }, 'telemetryd stopped');
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

  /** Ends pauses, as far as they are theirs. */
  resume(by: Requester): void {
    this.collection.send({ type: 'resume', by });
    if (by === 'person') this.#announcer.resumedByPerson();
  }

  /** The policy in force may have changed: everything that depends on it is told. */
  applyPolicy(): void {
    const { loaded } = this.policy;
    const policy = loaded?.policy ?? null;
    this.consent.policyChanged(loaded);
    if (loaded !== null) this.record([{ type: 'policy', policy: loaded.id, source: loaded.source }]);
    this.#capture.apply(policy);
    this.exemptions.tick();
    this.consentChanged();
    this.#restartSchedule(policy);
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
      appsChanged: () => this.#capture.apply(this.policy.policy),
      stateChanged: (state) => this.#announcer.exemptionChanged(state),
      changed: () => {
        this.#upload?.evaluate();
        this.watchers.changed();
      },
    });
  }

  record(facts: readonly LedgerFact[]): void {
    this.#ledger.record(facts);
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
        focus: this.#capture.focus,
        exemptions: this.exemptions,
        health: this.#health,
        notes: this.#notes,
      },
      clock.now(),
    );
  }

  get #notes(): Reason[] {
    return [...this.settings.notes, ...this.#capture.notes, ...this.#limits.notes];
  }

  #faults(): string[] {
    return standingFaults({
      state: this.collection.state,
      reasons: this.collection.reasons(),
      notes: this.#notes,
      blockers: this.upload.blockers,
      policyProblems: this.policy.problems,
      quarantined: this.spool.stats().quarantined.segments,
    });
  }

  /** For as long as there is no display to capture. */
  #watchDisplays(): void {
    const { failure, name } = this.collection.state;
    const isWanting = name === 'blocked' && /^(no-)?display\b/.test(failure?.code ?? '');
    if (isWanting) this.#displays.start(() => this.collection.send({ type: 'retry' }));
    else this.#displays.stop();
  }

  #stateChanged(from: CollectionName, to: CollectionName): void {
    const [reason] = this.collection.reasons();
    const kind = gapKind(to, this.collection.state, reason);
    if (from === 'capturing') this.recorder.captureEnded(kind);
    const { wallMs } = this.clock.now();
    // Without consent there is nothing to withhold, and the ledger says that by itself.
    if (to !== 'capturing' && to !== 'awaiting-consent' && kind === 'withheld')
      this.#withheld.begin(to === 'blocked' ? (reason?.code ?? to) : to, wallMs);
    else this.#withheld.end(wallMs);
    this.#history.stateChanged(to);
    this.ports.manager.collectionIs(to);
    this.#watchDisplays();
    // A recording that is played captures no one.
    if (this.settings.replay === null) this.#announcer.stateChanged(from, to);
    this.watchers.changed();
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
    return this.#mustHave(this.#ledger.head);
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
    timers.set('heartbeat', clock.now().bootMs + this.ports.heartbeatMs, () => {
      this.#recheck();
      this.#session.beat();
      this.#watchCapture();
      this.#history.beat();
      this.#health.notice();
      const { pauses } = this.collection.state;
      if (pauses.length > 0) this.#pauses.save(pauses);
      this.#ledger.retry();
      const isWaiting = this.spool.stats().queued.segments + this.requests.pending().length > 0;
      if (isWaiting || this.#storage.hasProblem('outbox')) this.upload.refresh();
      this.exemptions.beat();
      this.sealer.enforceLimits();
      this.sealer.work();
      this.ports.manager.alive();
      this.#beat();
    });
  }

  /** A recording has no source that could die, and at a speed of its own its cost says nothing. */
  #watchCapture(): void {
    const { replay } = this.settings;
    if (replay === null || replay.speed === 1) this.#limits.beat();
    else this.#cost.sample();
    if (replay === null) this.#liveness.beat();
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
      this.ports.log.error(
        { event: 'state-not-written', err: messageOf(error) },
        `${what} could not be written`,
      );
    }
  }

  #mustHave<T>(part: T | null): T {
    if (part === null)
      throw new TelemetryError('unavailable', 'the daemon is still starting', { hint: 'wait a moment' });
    return part;
  }
}
