import { autostart } from './subjects/autostart.js'
import { badInput } from './subjects/bad-input.js'
import { cancellation } from './subjects/cancellation.js'
import { closing } from './subjects/closing.js'
import { concurrency } from './subjects/concurrency.js'
import { crashing } from './subjects/crashing.js'
import { documents } from './subjects/documents.js'
import { events } from './subjects/events.js'
import { identity } from './subjects/identity.js'
import { information } from './subjects/information.js'
import { lookup } from './subjects/lookup.js'
import { pausing } from './subjects/pausing.js'
import { persistentLife } from './subjects/persistent-life.js'
import { redefinition } from './subjects/redefinition.js'
import { refusals } from './subjects/refusals.js'
import { renaming } from './subjects/renaming.js'
import { reopening } from './subjects/reopening.js'
import { restarting } from './subjects/restarting.js'
import { roles } from './subjects/roles.js'
import { shuttingDown } from './subjects/shutting-down.js'
import { transientLife } from './subjects/transient-life.js'
import { waiting } from './subjects/waiting.js'
import type { Suite } from './suite.js'

/** The subjects of the suite, by the names under which their tests appear. */
export const subjects = {
  'transient life': transientLife,
  'persistent life': persistentLife,
  autostart,
  redefinition,
  renaming,
  identity,
  'bad input': badInput,
  refusals,
  lookup,
  documents,
  information,
  events,
  concurrency,
  cancellation,
  pausing,
  'shutting down': shuttingDown,
  restarting,
  crashing,
  closing,
  reopening,
  waiting,
  roles,
} as const satisfies Readonly<Record<string, (suite: Suite) => void>>

/** The name of a subject of the suite. */
export type SubjectName = keyof typeof subjects

/** The names of all subjects. */
export const subjectNames = Object.keys(subjects) as readonly SubjectName[]
