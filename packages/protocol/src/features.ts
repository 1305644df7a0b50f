/** What one end can be asked whether it has it (CONNECT_SUPPORTS_FEATURE), by its number. */
export const features = {
  /** Its socket can carry file descriptors. */
  descriptorPassing: 8,
  /** Texts among typed parameters. */
  typedParameterStrings: 9,
  /** It answers to signs of life, and may ask for them from then on. */
  keepalive: 10,
  /** Events of domains carry the id of their registration. */
  eventCallbackIds: 14,
  /** It tells why a connection behind it was closed. */
  closeCallback: 15,
  /** It knows the `covirt` program. libvirt's daemons answer 0. */
  covirt: 0x20c0,
} as const
