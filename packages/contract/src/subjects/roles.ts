import { type Connection, type Domain, type RoleName, requireRole, roleNames } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'
import { addressesRole } from './addresses-role.js'
import { consoleRole } from './console-role.js'
import { devicesRole } from './devices-role.js'
import { execRole } from './exec-role.js'
import { filesRole } from './files-role.js'
import { graphicsRole } from './graphics-role.js'
import { guestAgentRole } from './guest-agent-role.js'
import { guestTimeRole } from './guest-time-role.js'
import { keyboardRole, nmiRole } from './keyboard-role.js'
import { nativeConfigRole } from './native-config-role.js'
import { processesRole } from './processes-role.js'
import { resetRole } from './reset-role.js'
import { savedStateRole } from './saved-state-role.js'
import { snapshotsRole } from './snapshots-role.js'
import { statisticsRole } from './statistics-role.js'
import { tuningRole } from './tuning-role.js'

/** What is tested of each role, where the driver has it. */
export const roleSubjects: Readonly<Record<RoleName, (suite: Suite) => void>> = {
  console: consoleRole,
  reset: resetRole,
  guestAgent: guestAgentRole,
  exec: execRole,
  processes: processesRole,
  addresses: addressesRole,
  files: filesRole,
  snapshots: snapshotsRole,
  savedState: savedStateRole,
  graphics: graphicsRole,
  keyboard: keyboardRole,
  nmi: nmiRole,
  guestTime: guestTimeRole,
  statistics: statisticsRole,
  devices: devicesRole,
  tuning: tuningRole,
  nativeConfig: nativeConfigRole,
}

const use: Readonly<Record<RoleName, (domain: Domain, connection: Connection) => Promise<unknown>>> = {
  console: (domain) => domain.openConsole(),
  reset: (domain) => domain.reset(),
  guestAgent: (domain) => domain.agentCommand('{"execute":"guest-ping"}'),
  exec: (domain) => domain.exec(['true']),
  processes: (domain) => domain.listProcesses(),
  addresses: (domain) => domain.listInterfaceAddresses(),
  files: (domain) => domain.statFile('/'),
  snapshots: (domain) => domain.createSnapshot(),
  savedState: (domain) => domain.hasManagedSave(),
  graphics: (domain) => domain.screenshot(),
  keyboard: (domain) => domain.sendKey([30]),
  nmi: (domain) => domain.injectNmi(),
  guestTime: (domain) => domain.getTime(),
  statistics: (domain) => domain.statistics(),
  devices: (domain) => domain.attachDevice('<disk/>'),
  tuning: (domain) => domain.getVcpus(),
  nativeConfig: (_, connection) => connection.domainXmlFromNative('none', ''),
}

/** Each role that the driver has; and of each other one, that it is refused. */
export function roles(suite: Suite): void {
  for (const role of roleNames) {
    if (suite.fixture.roles.includes(role)) {
      roleSubjects[role](suite)
      continue
    }
    suite.test(`the role '${role}', which the driver does not have, is NO_SUPPORT`, async (scene) => {
      const domain = await scene.define()
      await scene.refuses('NO_SUPPORT', () => use[role](domain, scene.connection))
      expect(() => requireRole(scene.connection.driver, role)).toThrow(
        expect.objectContaining({ code: 'NO_SUPPORT', message: expect.stringContaining(role) }),
      )
      expect(scene.connection.driver[role]).toBeUndefined()
    })
  }
}
