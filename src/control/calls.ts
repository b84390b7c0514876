import { type RequestOptions, request, stream } from './client.ts';
import { type GetReplies, type PostCalls, ROUTES, type StreamMessages } from './protocol.ts';

/**
 * {@link request} by a route's name, with its types. The daemon's replies are taken at their word: the socket's owner
 * was checked, and both sides come in one package.
 */
export async function get<Name extends keyof GetReplies>(
  socketPath: string,
  name: Name,
  options?: RequestOptions,
): Promise<GetReplies[Name]> {
  return (await request(socketPath, 'GET', ROUTES[name], undefined, options)) as GetReplies[Name];
}

/** As {@link get}, for what changes something. */
export async function post<Name extends keyof PostCalls>(
  socketPath: string,
  name: Name,
  body: PostCalls[Name]['request'],
  options?: RequestOptions,
): Promise<PostCalls[Name]['reply']> {
  return (await request(socketPath, 'POST', ROUTES[name], body, options)) as PostCalls[Name]['reply'];
}

/** {@link stream} by a route's name, with its types. */
export function follow<Name extends keyof StreamMessages>(
  socketPath: string,
  name: Name,
  onMessage: (message: StreamMessages[Name]) => void,
  signal: AbortSignal,
): Promise<void> {
  return stream(socketPath, ROUTES[name], (message) => onMessage(message as StreamMessages[Name]), signal);
}
