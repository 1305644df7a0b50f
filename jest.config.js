/** @type {import('jest').Config} */
export default {
  // Not what fixtures build, whole root file systems among it: Jest looks at every file below these.
  roots: ['<rootDir>/packages', '<rootDir>/native', '<rootDir>/test'],
  testEnvironment: 'node',
  // What a slow host declares is in test/fixtures/patience.ts.
  testTimeout: 30_000 * Number(process.env.COVIRT_TIME_FACTOR ?? 1),
  testSequencer: '<rootDir>/scripts/test-sequencer.mjs',
  globalSetup: '<rootDir>/test/fixtures/global-setup.ts',
  globalTeardown: '<rootDir>/test/fixtures/global-teardown.ts',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript', explicitResourceManagement: true }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@covirt/native-lxc$': '<rootDir>/native/lxc/ts/index.ts',
    '^@covirt/([a-z-]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@covirt/([a-z-]+)/([a-z-]+)$': '<rootDir>/packages/$1/src/$2.ts',
    '^covirt$': '<rootDir>/packages/covirt/src/index.ts',
  },
  testMatch: ['<rootDir>/{packages,native}/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['/dist/'],
}
