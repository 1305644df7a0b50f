import { newElement, writeXml, type XmlElement } from '@covirt/xml'
import type { Cli } from '../cli/cli.js'
import type { ChangeFlags } from './devices.js'

/** Options of the commands that make a device and give it to a domain. */
export interface NewDeviceFlags extends ChangeFlags {
  readonly printXml?: boolean
}

/** Gives a domain the device of this XML, or only prints that; `kind` is what the answer calls it. */
export async function attachNewDevice(
  cli: Cli,
  name: string,
  { kind, xml }: { readonly kind: string; readonly xml: string },
  { live, config, printXml }: NewDeviceFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  if (printXml) return cli.result({ json: { ...domain.ref, xml }, text: `${xml}\n` })
  await domain.attachDevice(xml, { live, config, signal: cli.signal })
  cli.result({ json: { ...domain.ref, xml }, text: `${kind} attached successfully\n` })
}

/** The XML of a device, with a line for each of what it holds. */
export function deviceXml(
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly XmlElement[],
): string {
  return writeXml(newElement(name, attributes, [...children.flatMap((child) => ['\n  ', child]), '\n']))
}
