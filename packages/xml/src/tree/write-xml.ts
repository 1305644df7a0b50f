import { VirError } from '@covirt/core'
import { illegalCharacter } from './check-input.js'
import type { XmlCharacters, XmlElement, XmlNode, XmlTree } from './nodes.js'

/**
 * The text of a tree. What was read and not changed is written exactly as it was; the rest as libvirt writes
 * it. Throws `XML_ERROR` for a text that XML cannot carry.
 */
export function writeXml(tree: XmlTree | XmlElement): string {
  const parts: string[] = []
  if ('root' in tree) for (const node of [...tree.prolog, tree.root, ...tree.epilog]) writeNode(node, parts)
  else writeElement(tree, parts)
  return parts.join('')
}

function writeNode(node: XmlNode, parts: string[]): void {
  if (node.kind === 'element') writeElement(node, parts)
  else if (node.kind === 'instruction') parts.push(node.markup)
  else parts.push(node.source?.value === node.value ? node.source.markup : markupOf(node))
}

function writeElement(element: XmlElement, parts: string[]): void {
  const { source, children } = element
  const open =
    source !== undefined && source.name === element.name && source.attributes === element.attributes
      ? source.open
      : openTag(element)
  if (children.length === 0 && (children !== source?.children || source.close === '')) {
    parts.push(open.endsWith('/>') ? open : `${open.slice(0, -1)}/>`)
    return
  }
  parts.push(open.endsWith('/>') ? open.replace(/\s*\/>$/, '>') : open)
  for (const child of children) writeNode(child, parts)
  parts.push(source?.name === element.name && source.close !== '' ? source.close : `</${element.name}>`)
}

function openTag({ name, attributes }: XmlElement): string {
  const parts = [`<${checkName(name)}`]
  for (const attribute of attributes) {
    parts.push(` ${checkName(attribute.name)}='${escapeAttribute(attribute.value)}'`)
  }
  return `${parts.join('')}>`
}

function markupOf({ kind, value }: XmlCharacters): string {
  if (kind === 'text') return escapeText(value)
  if (kind === 'cdata') return `<![CDATA[${checkText(value).replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
  if (value.includes('--') || value.endsWith('-')) throw unwritable(`a comment cannot contain "--": ${value}`)
  return `<!--${checkText(value)}-->`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
}

function escapeText(value: string): string {
  return checkText(value).replace(/[&<>\r]/g, (character) => escapes[character] ?? character)
}

function escapeAttribute(value: string): string {
  return checkText(value).replace(/[&<>'"\r\n\t]/g, (character) => escapes[character] ?? character)
}

function checkText(value: string): string {
  const at = illegalCharacter(value)
  if (at === undefined) return value
  const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
  throw unwritable(`character U+${code} cannot be written in XML`)
}

const nameStart =
  ':A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f' +
  '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd'
const xmlName = new RegExp(`^[${nameStart}][${nameStart}.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040-]*$`)

function checkName(name: string): string {
  if (xmlName.test(name)) return name
  throw unwritable(`${JSON.stringify(name)} is not a name that XML allows`)
}

function unwritable(what: string): VirError {
  return new VirError('XML_ERROR', what, { domain: 'XML' })
}
