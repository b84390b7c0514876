/** The walls between the folders of src/. Each rule says which way an import may not go, and why. */
/** @type {(folder: string, allowed: string[], comment: string) => object} */
const only = (folder, allowed, comment) => ({
  name: `${folder}-imports-only`,
  severity: 'error',
  comment,
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}/`) },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core holds types and decisions: no node: module, no package.',
      from: { path: '^src/core/' },
      to: { dependencyTypesNot: ['local', 'type-only'], pathNot: '^src/core/' },
    },
    only('core', [], 'core imports nothing of ours.'),
    only('segment', ['core'], 'the codec knows neither files nor processes.'),
    {
      name: 'segment-has-no-file-system',
      severity: 'error',
      from: { path: '^src/segment/' },
      to: { path: '^(node:)?(fs|child_process|net|http|timers)' },
    },
    only('signing', ['core'], 'who said it: keys and HTTP message signatures.'),
    only('posix', ['core'], 'what the C library offers and Node does not.'),
    {
      name: 'only-posix-loads-native-code-by-koffi',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/posix/' },
      to: { path: 'node_modules/(koffi|@koromix)/' },
    },
    only('capture', ['core', 'control', 'posix'], 'the child sees input and nothing else.'),
    {
      name: 'capture-has-no-network-and-no-files-but-recordings',
      severity: 'error',
      from: { path: '^src/capture/child/' },
      to: { path: '^(node:)?(http|https|tls|dgram|dns)' },
    },
    {
      name: 'only-the-uiohook-back-end-loads-the-hook',
      severity: 'error',
      from: { pathNot: '^src/capture/child/uiohook-' },
      to: { path: 'uiohook-napi' },
    },
    only('spool', ['core', 'segment'], 'files on disk.'),
    only('conditions', ['core'], 'what the machine says of power, network and session.'),
    only('control', ['core'], 'the socket protocol.'),
    only('policy', ['core'], 'policy files.'),
    only('privacy', ['core', 'segment', 'spool'], 'consent, ledger, purge.'),
    only('upload', ['core', 'control', 'signing'], 'the uploader reads whole files and cannot decode them.'),
    only('collector', ['core', 'signing'], 'the collector takes bytes; it cannot decode them.'),
    only(
      'cli',
      ['core', 'control', 'conditions', 'export', 'segment', 'signing', 'spool', 'privacy', 'policy'],
      'the command line talks to the daemon or reads files.',
    ),
    only('export', ['core', 'segment'], 'events as tables.'),
    only(
      'dataset',
      ['core', 'export', 'segment', 'spool', 'privacy'],
      'a program that opens segments, which the collector cannot.',
    ),
    only('manual', ['cli', 'daemon', 'collector', 'core'], 'pages are made of the programs’ own commands.'),
    only('demo', ['core', 'control', 'privacy'], 'npm start drives the programs as anyone could.'),
    {
      name: 'long-lived-processes-stay-small',
      severity: 'error',
      comment: 'zod, the TOML parser and age live in short-lived helpers only.',
      from: {
        path: '^src/(daemon|capture|upload|control|spool|conditions|core|segment)/',
        pathNot: '^src/segment/age-file\\.ts$',
      },
      to: { path: 'node_modules/(zod|smol-toml|fastify|kysely|age-encryption|hyparquet-writer)/' },
    },
    {
      name: 'long-lived-processes-hold-no-age',
      severity: 'error',
      comment:
        'nothing that the daemon, the capture child, the uploader or the collector loads opens or makes age files.',
      from: { path: '^src/(daemon|capture/child|upload|collector)/entry\\.ts$' },
      to: { path: '^src/segment/age-file\\.ts$', reachable: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['^src/setup/'] },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
