/** What all collectors that share a catalogue must agree on: the key that devices trust, and where the objects are. */
export interface Agreements {
  /** What stands under a name from now on: this value, or the one that came first. */
  agree(name: AgreementName, value: string): Promise<string>;
  /** `null` when no collector has said yet. */
  find(name: AgreementName): Promise<string | null>;
}

/** The collector's public key, or the address of the store. */
export type AgreementName = 'collector-key' | 'store';
