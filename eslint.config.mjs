import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The architecture: which package may import which. A package's index is its only door (core has one more for command lines, trust one for the promoter's gates, oci one for connections of others). */
export const MAY_IMPORT = {
  core: [],
  trust: ['core'],
  oci: ['core'],
  ledger: ['core', 'oci'],
  auditor: ['core', 'trust', 'oci', 'ledger'],
  promoter: ['core', 'trust', 'oci', 'ledger', 'auditor'],
  site: ['core', 'trust', 'oci'],
};

/** Node modules with effects: only the shells of a package may name them, pure packages none. */
const EFFECTS = [
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:http',
  'node:https',
  'node:child_process',
  'node:timers',
  'node:timers/promises',
  'undici',
];

/** Tests and what they are made of: they read vectors from disk. */
const TESTS = ['packages/*/src/**/*.test.ts', 'packages/*/src/**/testing/**', 'test/**/*.ts'];

const boundaries = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  files: [`packages/${name}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: ['core', 'trust'].includes(name)
          ? EFFECTS.map((module) => ({ name: module, message: `${name} is pure: pass the effect in` }))
          : [],
        patterns: [
          {
            regex: `^@sealane/(?!(${['none', ...allowed].join('|')})(/command-line)?$${name === 'promoter' ? '|trust/promoter-gates$|oci/outbound$' : ''})`,
            message: `${name} may import ${allowed.length === 0 ? 'no other package' : allowed.join(', ')} (MAY_IMPORT in eslint.config.mjs)`,
          },
          { regex: '^(\\.\\./)+(packages|core|trust|oci|ledger|auditor|promoter|site)/src', message: 'use the package, not its files' },
        ],
      },
    ],
  },
}));

/** A test of a pure package may read vectors from disk. */
const testsMayRead = {
  files: TESTS,
  rules: { 'no-restricted-imports': 'off' },
};

/** The clock, chance and timers are arguments: only files named as shells may reach for them. */
const noAmbientEffects = {
  files: ['packages/*/src/**/*.ts'],
  ignores: [
    'packages/*/src/**/*.test.ts',
    'packages/*/src/**/commands/**',
    'packages/*/src/**/*shell*.ts',
    'packages/*/src/**/clock.ts',
    'packages/*/src/testing/**',
    'packages/*/src/**/testing/**',
  ],
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
      { selector: 'CallExpression[callee.name=/^(setTimeout|setInterval)$/]', message: 'take timers as an argument' },
    ],
  },
};

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.quickstart/**', 'test/vectors/**'] },
  { files: ['**/*.ts', '**/*.mjs'], extends: [eslint.configs.recommended] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    // tests are in no package's own project: one project has all of them
    languageOptions: {
      parserOptions: { project: ['packages/*/tsconfig.json', 'test/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      // a key out of a document is written as one: what is there is not known
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // `return void send(…)`: answer and leave
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // objects here are records of functions that never use `this`
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'max-depth': ['error', 3],
    },
  },
  ...boundaries,
  testsMayRead,
  noAmbientEffects,
  {
    // vectors and answers of programs are read as they are written; what they hold is what a test asserts
    files: TESTS,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        performance: 'readonly',
      },
    },
  },
);
