import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The architecture: which package may import which. A package's index is its only door (core has one more for command lines). */
export const MAY_IMPORT = {
  core: [],
  trust: ['core'],
  oci: ['core'],
  ledger: ['core'],
  auditor: ['core', 'trust', 'oci', 'ledger'],
  promoter: ['core', 'trust', 'oci', 'ledger', 'auditor'],
  site: ['core', 'trust', 'oci'],
};

/** Node modules with effects: only the shells of a package may name them, pure packages none. */
const EFFECTS = ['node:fs', 'node:fs/promises', 'node:net', 'node:http', 'node:https', 'node:child_process', 'node:timers', 'node:timers/promises', 'undici'];

const boundaries = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  files: [`packages/${name}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: ['core', 'trust'].includes(name) ? EFFECTS.map((module) => ({ name: module, message: `${name} is pure: pass the effect in` })) : [],
        patterns: [
          {
            regex: `^@sealane/(?!(${['none', ...allowed].join('|')})(/command-line)?$)`,
            message: `${name} may import ${allowed.length === 0 ? 'no other package' : allowed.join(', ')} (MAY_IMPORT in eslint.config.mjs)`,
          },
          { regex: '^(\\.\\./)+(packages|core|trust|oci|ledger|auditor|promoter|site)/src', message: 'use the package, not its files' },
        ],
      },
    ],
  },
}));

/** The clock, chance and timers are arguments: only files named as shells may reach for them. */
const noAmbientEffects = {
  files: ['packages/*/src/**/*.ts'],
  ignores: ['packages/*/src/**/*.test.ts', 'packages/*/src/**/commands/**', 'packages/*/src/**/*shell*.ts', 'packages/*/src/**/clock.ts', 'packages/*/src/testing/**', 'packages/*/src/**/testing/**'],
  rules: {
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'take the time as an argument' },
      { object: 'Math', property: 'random', message: 'take randomness as an argument' },
      { object: 'crypto', property: 'randomUUID', message: 'take randomness as an argument' },
    ],
    'no-restricted-syntax': [
      'error',
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take the time as an argument' },
      { selector: "CallExpression[callee.name=/^(setTimeout|setInterval)$/]", message: 'take timers as an argument' },
    ],
  },
};

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.quickstart/**', 'test/vectors/**'] },
  { files: ['**/*.ts', '**/*.mjs'], extends: [eslint.configs.recommended] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['vitest.config.ts'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'max-depth': ['error', 3],
    },
  },
  {
    files: ['packages/*/src/**/*.test.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-member-access': 'off' },
  },
  ...boundaries,
  noAmbientEffects,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', fetch: 'readonly', Buffer: 'readonly', setTimeout: 'readonly', clearTimeout: 'readonly', AbortController: 'readonly', AbortSignal: 'readonly', performance: 'readonly' },
    },
  },
);
