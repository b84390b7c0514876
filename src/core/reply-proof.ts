/** What shows that a reply is the collector's: its signature's fields, and the nonce of the request it answers. */
export interface ReplyProof {
  readonly nonce: string;
  readonly contentDigest: string;
  readonly signatureInput: string;
  readonly signature: string;
}
