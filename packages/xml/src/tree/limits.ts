/** What an XML document may cost at most. A document over a limit is refused with `XML_ERROR`. */
export interface XmlLimits {
  /** Length of the document in UTF-16 units, or in bytes where it comes as bytes. */
  readonly maxLength: number
  /** Elements inside each other. */
  readonly maxDepth: number
  /** Attributes of one element. */
  readonly maxAttributes: number
  /** Elements, attributes, texts, comments and instructions together. */
  readonly maxNodes: number
  /** Length of one element or attribute name. */
  readonly maxNameLength: number
  /** Length of one attribute value. */
  readonly maxValueLength: number
}

export const defaultLimits: XmlLimits = {
  maxLength: 16 * 1024 * 1024,
  maxDepth: 256,
  maxAttributes: 256,
  maxNodes: 250_000,
  maxNameLength: 1024,
  maxValueLength: 1024 * 1024,
}
