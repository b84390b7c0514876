#!/usr/bin/env node
// @ts-check
/**
 * Fills the templates beside it, for an administrator or a package's script:
 *
 *   node fill.mjs agents --home /Users/ada --out /Users/ada/Library/LaunchAgents
 *   node fill.mjs profile --organisation "Example Corp" --program /usr/local/lib/telemetryd/node \
 *     [--bundle-id com.example.telemetryd] [--requirement 'identifier … and anchor apple generic …'] --out FILE
 *
 * Without --requirement the program is asked for its own, by codesign(1), on a Mac.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const AGENTS = ['com.telemetryd.daemon.plist', 'com.telemetryd.uploader.plist'];
const USAGE =
  'node fill.mjs agents --home DIR --out DIR, or profile --organisation NAME --program FILE --out FILE';

try {
  run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `fill.mjs: ${error instanceof Error ? error.message : String(error)}\nTry: ${USAGE}\n`,
  );
  process.exitCode = 2;
}

/** @param {readonly string[]} args */
function run(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      home: text,
      out: text,
      organisation: text,
      program: text,
      'bundle-id': text,
      requirement: text,
    },
  });
  const [what, ...more] = positionals;
  if (more.length > 0) throw new Error(`${more.join(' ')} is too much`);
  if (what === 'agents') fillAgents(absolute('--home', values.home), given('--out', values.out));
  else if (what === 'profile') fillProfile(values);
  else throw new Error('agents or profile?');
}

/**
 * @param {string} home
 * @param {string} out
 */
function fillAgents(home, out) {
  const filled = AGENTS.map((name) => ({
    name,
    text: fill(read(name), { HOME: home }).replace(
      '<!-- @UPLOADER@ -->',
      '<string>--uploader</string>\n    <string>service</string>',
    ),
  }));
  fs.mkdirSync(out, { recursive: true });
  // launchd takes no agent that others could change.
  for (const { name, text } of filled) write(path.join(out, name), text, 0o644);
}

/** @param {{ organisation?: string, program?: string, 'bundle-id'?: string, requirement?: string, out?: string }} values */
function fillProfile(values) {
  const organisation = given('--organisation', values.organisation);
  const program = absolute('--program', values.program);
  const bundleId = values['bundle-id'];
  const requirement = values.requirement ?? requirementOf(program);
  // Without an anchor any program that calls itself so, signed by anyone or no one, would have the rights.
  if (!/\banchor\b|\bcdhash\b|\bcertificate\b/.test(requirement))
    throw new Error(`the code requirement names nobody who signed: ${requirement}`);
  const uuids = ['PROFILE', 'PRIVACY', 'BACKGROUND'].map((part) => [
    `UUID_${part}`,
    uuidOf(`${organisation} ${part}`),
  ]);
  const filled = fill(read('telemetryd.mobileconfig'), {
    ORGANISATION: organisation,
    IDENTIFIER: bundleId ?? program,
    IDENTIFIER_TYPE: bundleId === undefined ? 'path' : 'bundleID',
    CODE_REQUIREMENT: requirement,
    ...Object.fromEntries(uuids),
  });
  write(given('--out', values.out), filled, 0o644);
}

/**
 * What codesign says of a program: `designated => identifier "…" and anchor …`.
 *
 * @param {string} program
 */
function requirementOf(program) {
  const printed = execFileSync('codesign', ['--display', '--requirements', '-', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const requirement = /^(?:# )?designated => (.+)$/m.exec(printed)?.[1];
  if (requirement === undefined) throw new Error(`${program} is not signed; sign it, or give --requirement`);
  return requirement;
}

/**
 * The same for the same words, so that a new version of a profile replaces the old one.
 *
 * @param {string} words
 */
function uuidOf(words) {
  const hex = createHash('sha256').update(`telemetryd ${words}`).digest('hex');
  // RFC 9562, section 5.8: version 8, of one's own making.
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-').toUpperCase();
}

/**
 * @param {string} template
 * @param {Readonly<Record<string, string>>} values
 */
function fill(template, values) {
  return template.replaceAll(/@([A-Z_]+)@(?! -->)/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : escaped(value);
  });
}

/** @param {string} text */
function escaped(text) {
  if (/\p{Cc}/u.test(text)) throw new Error('a value has a line end or a control character');
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** @param {string} name */
function read(name) {
  return fs.readFileSync(path.join(HERE, name), 'utf8');
}

/**
 * @param {string} file
 * @param {string} text
 * @param {number} mode
 */
function write(file, text, mode) {
  fs.writeFileSync(file, text, { mode });
  process.stdout.write(`${file}\n`);
}

/**
 * @param {string} option
 * @param {string | undefined} value
 */
function given(option, value) {
  if (value === undefined || value === '') throw new Error(`${option} is missing`);
  return value;
}

/**
 * @param {string} option
 * @param {string | undefined} value
 */
function absolute(option, value) {
  const found = given(option, value);
  if (path.isAbsolute(found)) return found;
  throw new Error(`${option} must be a whole path: ${found}`);
}
