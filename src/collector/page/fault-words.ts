/** What a fault means to whoever runs the fleet, and what to do; a code that is not here is shown as it is. */
export const FAULT_WORDS: Readonly<Record<string, string>> = {
  'backend-unavailable': 'The policy names a way of capture that the version there does not have.',
  'bad-message': 'The capture process said something that the daemon does not understand; install it anew.',
  'child-exited': 'The capture process ends by itself.',
  'hook-crashed': 'The capture process crashes in native code; try another capture.backend.',
  'hook-failed': 'The input hook failed.',
  'hook-not-loadable': 'The input hook cannot be loaded; install the package anew.',
  'native-library-missing': 'A system library is missing; install the package with its dependencies.',
  'no-device': 'No input device was found.',
  'no-permission': 'The service may not read input devices; check its group or the privacy profile.',
  'not-startable': 'The capture process cannot be started; install the package anew.',
  'out-of-memory': 'The capture process ran out of memory; raise the service’s limit.',
  'start-timeout': 'The capture process does not get ready in time.',
  'tap-dead': 'The capture process runs and gets no input.',
  'lock-unknown': 'Whether the session is locked cannot be told, so nothing is captured there.',
  'memory-readable':
    'Memory of the processes could be dumped; a library is missing or the system is too old.',
  'no-policy': 'There is no valid policy, and never was one.',
  'over-memory-limit': 'It takes more memory than the policy allows.',
  'policy-refused':
    'The policy file is wrong, and the one before it is in force: telemetryd check-policy FILE.',
  quarantined:
    'Files were put aside there, unreadable or refused by this collector; its person’s log says why.',
  storage: 'Nothing can be written there; the disk is full or broken.',
  'too-large': 'A file was larger than this collector takes; raise --max-segment-bytes.',
  'unknown-code': 'Something that this version does not know: the devices are newer than the collector.',
};
