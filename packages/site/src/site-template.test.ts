import { SiteError } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { renderTemplate } from './site-template.js';

const TEMPLATE = `kind: SiteTemplate
variables:
  - { name: SITE, type: text, maxLength: 63 }
  - { name: UPLINK, type: choice, choices: [fibre, radio], default: fibre }
  - { name: KEEP, type: integer, min: 2, max: 8, default: 3 }
site:
  name: \${SITE}
  stage: prod
  # the town's own cache comes first
  upstreams: [ 'https://\${UPLINK}.example/\${SITE}', https://lane.example ]
  keep: \${KEEP}
  driver:
    use: files
    start: [ sh, -c, 'exec app --name \${SITE} --home $\${HOME}' ]
`;

const render = (set: Record<string, string>, template = TEMPLATE): ReturnType<typeof renderTemplate> =>
  renderTemplate(template, '/towns.yaml', new Map(Object.entries(set)));

function problem(set: Record<string, string>, template?: string): string {
  try {
    render(set, template);
  } catch (error) {
    if (error instanceof SiteError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'none';
}

test('renders site.yaml: whole values keep their type, parts become text, comments stay', () => {
  const { text, name, stage, variables } = render({ SITE: 'harbour-7', UPLINK: 'radio' });
  expect({ name, stage, variables }).toEqual({
    name: 'harbour-7',
    stage: 'prod',
    variables: { SITE: 'harbour-7', UPLINK: 'radio', KEEP: 3 },
  });
  expect(text).toContain("# the town's own cache comes first");
  expect(text).toMatch(/^# rendered by sealane-site from a template, sha256:[0-9a-f]{64}\n# SITE: "harbour-7"\n/);
  const config = parseConfig(text, '/site.yaml');
  expect(config.keep).toBe(3);
  expect(config.upstreams.map(({ at }) => at)).toEqual(['https://radio.example/harbour-7', 'https://lane.example']);
  expect(config.driver).toMatchObject({ start: ['sh', '-c', 'exec app --name harbour-7 --home ${HOME}'] });
});

test('a text that looks like a number or like YAML stays a text', () => {
  for (const value of ['7', 'true', '"', 'a: b', '- x', '# none', '*a', '{x}', "it's", 'null']) {
    const { text } = render({ SITE: 'harbour-7', UPLINK: 'fibre', NOTE: value }, withNote());
    expect(parseConfig(text, '/site.yaml').driver).toMatchObject({ env: { NOTE: value } });
  }
});

test('whatever a text is, it changes its own value only', () => {
  const { driver: usual, ...others } = parseConfig(render({ SITE: 'harbour-7', NOTE: 'x' }, withNote()).text, '/site.yaml');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
      const rendered = orRefused(() => render({ SITE: 'harbour-7', NOTE: value }, withNote()).text);
      if (rendered === undefined) return;
      const { driver, ...rest } = parseConfig(rendered, '/site.yaml');
      expect(rest).toEqual(others);
      expect(driver).toEqual({ ...usual, env: { NOTE: value } });
    }),
    { numRuns: 40 },
  );
});

test('refuses, naming the place, what is not declared, not set, out of range, in a key, or an alias', () => {
  expect(problem({})).toContain('SITE has no default and is not set');
  expect(problem({ SITE: 'a', TOWN: 'b' })).toContain('TOWN is not declared');
  expect(problem({ SITE: 'a', KEEP: '9' })).toContain('KEEP: expected a whole number 2–8, got 9');
  expect(problem({ SITE: 'a', KEEP: '3.0x' })).toContain('got "3.0x"');
  expect(problem({ SITE: 'a' }, TEMPLATE.replace('stage: prod', 'stage: ${STAGE}'))).toBe(
    'read /towns.yaml, line 8, column 10: expected a variable that the template declares, got "STAGE"',
  );
  expect(problem({ SITE: 'a' }, TEMPLATE.replace('stage: prod', '${SITE}: prod'))).toContain(
    'line 8, column 3: expected variables in values only',
  );
  expect(problem({ SITE: 'a' }, TEMPLATE.replace('name: ${SITE}', 'name: &n ${SITE}').replace('stage: prod', 'stage: *n'))).toContain(
    'line 8, column 10: expected no alias',
  );
  expect(problem({ SITE: 'a' }, `${TEMPLATE}more: 1\n`)).toContain('unknown more');
  expect(problem({ SITE: 'a' }, TEMPLATE.replace('default: 3', 'default: 30'))).toContain('variable KEEP: its default');
});

test('what it renders is held to site.yaml', () => {
  expect(problem({ SITE: 'No Name' })).toMatch(/^render \/towns\.yaml: read site\.yaml, line \d+, column \d+: name: /);
  expect(problem({ SITE: 'a' }, TEMPLATE.replace('keep:', 'kept:'))).toContain('unknown kept');
});

function withNote(): string {
  const declared = '  - { name: NOTE, type: text, maxLength: 1000 }\nsite:';
  return TEMPLATE.replace('site:', declared).replace('    use: files\n', '    use: files\n    env: { NOTE: "${NOTE}" }\n');
}

function orRefused(run: () => string): string | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SiteError) return undefined;
    throw error;
  }
}
