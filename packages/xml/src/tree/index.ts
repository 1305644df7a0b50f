export { defaultLimits, type XmlLimits } from './limits.js'
export * from './nodes.js'
export { readElement, readXml } from './read-xml.js'
export { writeXml } from './write-xml.js'
