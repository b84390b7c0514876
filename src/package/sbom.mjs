// @ts-check

/**
 * What is in the package, as CycloneDX 1.5 JSON (https://cyclonedx.org/docs/1.5/json/). `npm sbom` would list what is
 * installed for development too, and give another serial number each time.
 *
 * @param {string} version
 * @param {readonly import('./components.mjs').Component[]} components
 * @param {Date} madeAt
 */
export function billOfMaterials(version, components, madeAt) {
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: madeAt.toISOString(),
      component: {
        type: 'application',
        'bom-ref': `pkg:npm/telemetryd@${version}`,
        name: 'telemetryd',
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl: `pkg:npm/telemetryd@${version}`,
      },
    },
    components: components.map((component) => ({
      type: component.name.startsWith('node-linux-') ? 'platform' : 'library',
      'bom-ref': purlOf(component),
      name: component.name,
      version: component.version,
      licenses: [{ license: { id: component.licence } }],
      purl: purlOf(component),
      hashes: [{ alg: 'SHA-512', content: sha512Of(component) }],
    })),
    dependencies: [{ ref: `pkg:npm/telemetryd@${version}`, dependsOn: components.map(purlOf) }],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/** @param {import('./components.mjs').Component} component */
function purlOf({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/**
 * The lock file's digest of the package as it was published, in hexadecimal.
 *
 * @param {import('./components.mjs').Component} component
 */
function sha512Of({ name, integrity }) {
  const [, base64 = ''] = /^sha512-(.+)$/.exec(integrity) ?? [];
  if (base64 === '') throw new Error(`package-lock.json has no SHA-512 of ${name}`);
  return Buffer.from(base64, 'base64').toString('hex');
}
