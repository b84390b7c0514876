import type { Requester } from '../core/pause.ts';

/**
 * Who is at the other end of a control connection, by the kernel's word.
 *
 * `person`: whose input it is; all of their own is theirs. `service`: the account that the daemon and the uploader run
 * as, where that is not the person's. `root`: the policy is root's. `other`: any other account of this machine, which
 * may know that telemetryd runs, and pause it.
 */
export interface Peer {
  readonly role: 'person' | 'service' | 'root' | 'other';
  /** `null` where the system does not tell; then the socket's own mode has let in nobody but its owner and root. */
  readonly uid: number | null;
}

/** Which accounts have a role of their own. */
export interface Accounts {
  readonly personUid: number;
  readonly serviceUid: number;
}

/** The role of an account. The first that fits counts: a person may well be root. */
export function peerFor(uid: number | null, { personUid, serviceUid }: Accounts): Peer {
  if (uid === null || uid === personUid) return { role: 'person', uid };
  if (uid === serviceUid) return { role: 'service', uid };
  return { role: uid === 0 ? 'root' : 'other', uid };
}

/** In whose name a pause of theirs stands. */
export function requesterOf({ role, uid }: Peer): Requester {
  return role === 'person' || uid === null ? 'person' : `uid:${uid}`;
}

/** Reads the credentials of the process at the other end of a connected socket's descriptor; `null`: not told. */
export type PeerUid = (fd: number) => number | null;

/**
 * How a server tells its peers apart. `uidOf` is `null` where nothing here can: the socket is then for its owner and
 * root alone, and whoever gets in counts as the person.
 */
export interface PeerSource {
  readonly accounts: Accounts;
  readonly uidOf: PeerUid | null;
}
