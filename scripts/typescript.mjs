// `node --import ./scripts/typescript.mjs file.ts` runs a TypeScript program of this repository.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
