/** A template of site.yaml: one text for many sites, with declared variables in its values. Rendering it is pure. */
import { SealaneError, sha256, SiteError, utf8 } from '@sealane/core';
import { checkDeclaration, type DeclaredVariable, declarationShape, renderVariables, type VariableValue } from '@sealane/trust';
import { Document, isMap, isScalar, type Scalar, visit, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { parseConfig } from './config.js';
import { openYaml, readShape, type YamlText } from './strict-yaml.js';

/** Zod's shape of a template. `site` has what site.yaml has, judged once it is rendered. */
const siteTemplateShape = z.strictObject({
  apiVersion: z.literal('sealane/v1').default('sealane/v1'),
  kind: z.literal('SiteTemplate'),
  variables: declarationShape.shape.variables,
  site: z.record(z.string(), z.unknown()).describe('site.yaml, with ${NAME} in its values for variables and $${NAME} for the text ${NAME}'),
});

const PAGE = 'docs/formats/site-template.md';

/** `${NAME}`, or `$${NAME}`, which stands for itself. */
const PLACEHOLDER = /\$(\$?)\{([^}]*)\}/g;

/** A template as parsed: the declared variables, and the tree of `site`. */
interface SiteTemplate {
  readonly yaml: YamlText;
  readonly declared: readonly DeclaredVariable[];
  readonly site: YAMLMap;
}

/** What came of a template. */
export interface RenderedSite {
  readonly text: string;
  readonly name: string;
  readonly stage: string;
  /** Of the template's bytes. */
  readonly template: string;
  readonly variables: Readonly<Record<string, VariableValue>>;
}

/**
 * Parses a template; `file` is for messages.
 *
 * @throws SiteError `CONFIG_INVALID`
 */
export function parseTemplate(source: string, file: string): SiteTemplate {
  const yaml = openYaml(source, file);
  const { variables: declared = [] } = readShape(yaml, siteTemplateShape, PAGE);
  within(file, () => {
    checkDeclaration({ variables: declared });
  });
  const site = yaml.document.get('site', true);
  if (!isMap(site)) throw yaml.fault(0, 'site: expected a map');
  return { yaml, declared, site };
}

/**
 * Renders site.yaml. Values go in as values, never as text of the document; `set` gives them as words, by the name of their variable.
 *
 * @throws SiteError `CONFIG_INVALID` the template, a variable or what was rendered is wrong; the message names where
 */
export function renderTemplate(source: string, file: string, set: ReadonlyMap<string, string>): RenderedSite {
  const { yaml, declared, site } = parseTemplate(source, file);
  const variables = valuesOf(file, declared, set);
  fillIn(yaml, site, variables);
  const template = sha256(utf8(source));
  const used = Object.entries(variables).map(([name, value]) => `# ${name}: ${JSON.stringify(value)}\n`);
  const text = `# rendered by sealane-site from a template, ${template}\n${used.join('')}${new Document(site).toString({ lineWidth: 0 })}`;
  const { name, stage } = within(file, () => parseConfig(text, 'site.yaml'));
  return { text, name, stage, template, variables };
}

function valuesOf(
  file: string,
  declared: readonly DeclaredVariable[],
  set: ReadonlyMap<string, string>,
): Readonly<Record<string, VariableValue>> {
  return within(file, () => {
    const types = new Map(declared.map(({ name, type }) => [name, type]));
    return renderVariables(declared, Object.fromEntries([...set].map(([name, word]) => [name, valueOf(word, types.get(name))])));
  });
}

/** A word as a value of the type; one that is none stays a word, and is refused as such. */
function valueOf(word: string, type: DeclaredVariable['type'] | undefined): VariableValue {
  if (type === 'boolean' && (word === 'true' || word === 'false')) return word === 'true';
  const isNumber = (type === 'integer' || type === 'number') && /^-?\d{1,16}(?:\.\d{1,16})?$/.test(word);
  return isNumber ? Number(word) : word;
}

/** JSON Schema of a template. */
export function siteTemplateJsonSchema(): object {
  return z.toJSONSchema(siteTemplateShape, { io: 'input', unrepresentable: 'any' });
}

function fillIn(yaml: YamlText, site: YAMLMap, variables: Readonly<Record<string, VariableValue>>): void {
  visit(yaml.document, {
    Alias: (_key, { range }) => {
      throw yaml.fault(range?.[0] ?? 0, 'expected no alias in a template: what is written once is rendered once');
    },
    Pair: (_key, { key }, path) => {
      if (path.includes(site) && isScalar(key) && new RegExp(PLACEHOLDER).test(String(key.value)))
        throw yaml.fault(key.range?.[0] ?? 0, 'expected variables in values only, got one in a key');
    },
    Scalar: (key, node, path) => {
      if (key === 'key' || typeof node.value !== 'string' || !path.includes(site)) return;
      replace(yaml, node as Scalar<string>, variables);
    },
  });
}

/** A value that is one variable and nothing else takes its type; in a longer text it is part of the text. */
function replace({ fault }: YamlText, node: Scalar<string>, variables: Readonly<Record<string, VariableValue>>): void {
  const lookUp = (name: string): VariableValue => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) return value;
    throw fault(node.range?.[0] ?? 0, `expected a variable that the template declares, got ${JSON.stringify(name)}`);
  };
  const [, only] = /^\$\{([^}]*)\}$/.exec(node.value) ?? [];
  const value =
    only === undefined
      ? node.value.replace(PLACEHOLDER, (_all, escape: string, name: string) => (escape === '' ? String(lookUp(name)) : `\${${name}}`))
      : lookUp(only);
  if (value === node.value) return;
  const rendered: Scalar = node;
  rendered.value = value;
  // how it was written says nothing of how the value is
  delete rendered.source;
  delete rendered.type;
}

function within<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const hint = 'mend the template, or give other values with --set NAME=VALUE';
    throw new SiteError('CONFIG_INVALID', `render ${file}: ${cause.message}`, { path: file }, { cause, hint });
  }
}
