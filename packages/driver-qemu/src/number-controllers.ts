import type { ControllerXml } from '@covirt/xml'

/**
 * Gives an index to the controllers that have none, as libvirt does: the lowest that is free among those of the type.
 * The root of a PCI topology has the first, and the companions of a USB controller have that of their master.
 */
export function numberControllers(controllers: readonly ControllerXml[]): readonly ControllerXml[] {
  const taken = new Set(
    controllers.flatMap(({ type, index }) => (index === undefined ? [] : `${type} ${index}`)),
  )
  return controllers.map((controller) => {
    if (controller.index !== undefined) return controller
    if (isCompanion(controller)) return { ...controller, index: 0 }
    const { type } = controller
    let index = type === 'pci' && !isRoot(controller) ? 1 : 0
    while (taken.has(`${type} ${index}`)) index += 1
    taken.add(`${type} ${index}`)
    return { ...controller, index }
  })
}

function isRoot({ model }: ControllerXml): boolean {
  return model === 'pci-root' || model === 'pcie-root'
}

/** The slow halves of Intel's USB 2 controller. */
export function isCompanion({ type, model }: ControllerXml): boolean {
  return type === 'usb' && model !== undefined && /^ich9-uhci[123]$/.test(model)
}
