/** The bounds of libvirt's protocol, version 9: the other end refuses what exceeds them. */
export const limits = {
  /** Of one packet, after its length word. */
  frameBytes: 33_554_432,
  /** Of one packet of stream data, with its header: libvirt's old bound, which its programs keep to. */
  streamFrameBytes: 262_148,
  descriptors: 32,
  stringBytes: 4_194_304,
  /** Domains, networks, pools, volumes, interfaces, filters, secrets, snapshots. */
  objects: 16_384,
  nodeDevices: 65_536,
  /** Statistics of one domain. */
  domainStats: 262_144,
  cpuMapBytes: 2_048,
  cpuMapsBytes: 8_388_608,
  vcpus: 16_384,
  ioThreads: 16_384,
  /** What most getters of parameters give at a time. */
  parameters: 16,
  blockIoTune: 32,
  /** Perf events, jobs, saves, I/O threads, vCPUs of the guest, the host's memory. */
  manyParameters: 64,
  cpuStats: 2_048,
  memoryStats: 1_024,
  numaCells: 1_024,
  peekBytes: 4_194_304,
  securityLabels: 64,
  securityLabelChars: 4_097,
  securityModelChars: 257,
  saslBytes: 65_536,
  authTypes: 20,
  secretBytes: 65_536,
  keycodes: 16,
  cpuModels: 8_192,
  cpuDescriptions: 256,
  diskErrors: 256,
  mountPoints: 256,
  /** Interfaces of a domain, addresses of an interface, SSH keys, messages, facts about a guest. */
  guestItems: 2_048,
  leases: 65_536,
  identityParameters: 20,
} as const
