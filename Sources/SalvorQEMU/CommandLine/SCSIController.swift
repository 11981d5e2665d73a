internal import SalvorJSON

/// A virtio SCSI controller, whose disks the guest tells apart by their LUN. Disks come and go without a port of their
/// own.
package struct SCSIController: Hashable, Sendable {
    /// What LUNs a disk can have: as many as fit one byte, which every guest and firmware looks at.
    package static let luns = 0...255

    /// QEMU's id of the device.
    package let name: String
    /// Where the controller is on the machine's first PCI bus: the same at each start, so that a guest knows it again.
    package let slot: Int

    package init(name: String, slot: Int) {
        self.name = name
        self.slot = slot
    }

    /// QEMU's id of the controller's only bus.
    var bus: String { "\(name).0" }

    var device: JSONValue {
        [
            "driver": "virtio-scsi-pci", "id": .string(name), "addr": .string("0x" + String(slot, radix: 16)),
            // A guest asks for one queue a processor otherwise, and each costs it time at its start.
            "num_queues": 1,
        ]
    }
}
