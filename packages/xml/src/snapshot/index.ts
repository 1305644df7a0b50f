export { formatSnapshot, parseSnapshot, type SnapshotInput, type SnapshotXml } from './snapshot.js'
